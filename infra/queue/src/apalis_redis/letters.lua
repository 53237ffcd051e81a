-- ARGV: how many at most. Gives id and letter of each, the oldest first.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1] .. ':letters', 0, tonumber(ARGV[1]) - 1)) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[1] .. ':letter', id)
end
return found
