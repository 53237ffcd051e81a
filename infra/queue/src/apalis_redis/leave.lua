-- ARGV: a worker that has ended. What it took and did not begin is for others at once.
local base, worker = KEYS[1], ARGV[1]
local held = base .. ':inflight:' .. worker
for _, id in ipairs(redis.call('SMEMBERS', held)) do
  redis.call('LPUSH', base .. ':active', id)
end
redis.call('DEL', held, base .. ':workers:metadata:' .. worker)
redis.call('ZREM', base .. ':workers', worker)
