-- Gives how many messages wait, run and are dead.
local base, running = KEYS[1], 0
for _, worker in ipairs(redis.call('ZRANGE', base .. ':workers', 0, -1)) do
  running = running + redis.call('SCARD', base .. ':inflight:' .. worker)
end
local waiting = redis.call('LLEN', base .. ':active') + redis.call('ZCARD', base .. ':scheduled')
return { waiting, running, redis.call('ZCARD', base .. ':letters') }
