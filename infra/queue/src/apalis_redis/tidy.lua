-- ARGV: how many at most. Forgets tasks that are done; gives how many it was.
local base = KEYS[1]
local done = redis.call('SPOP', base .. ':done', ARGV[1])
for _, id in ipairs(done) do
  redis.call('HDEL', base .. ':data', id)
  redis.call('DEL', base .. ':meta:' .. id)
end
return #done
