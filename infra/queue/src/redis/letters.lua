-- ARGV: how many at most. Gives id, what it is, and the message of each dead letter, oldest first.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', dead, 0, tonumber(ARGV[1]) - 1)) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', letters, id) or ''
  found[#found + 1] = redis.call('HGET', bodies, id) or ''
end
return found
