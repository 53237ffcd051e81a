-- ARGV: now in seconds, how many at most. Moves what is due to where workers take it from; gives how many it was.
local scheduled, active = KEYS[1] .. ':scheduled', KEYS[1] .. ':active'
local due = redis.call('ZRANGEBYSCORE', scheduled, 0, ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(due) do
  redis.call('RPUSH', active, id)
  redis.call('ZREM', scheduled, id)
end
return #due
