-- ARGV: the id, the letter, now, before when letters are forgotten, how many are kept.
local letters, bodies = KEYS[1] .. ':letters', KEYS[1] .. ':letter'
redis.call('ZADD', letters, ARGV[3], ARGV[1])
redis.call('HSET', bodies, ARGV[1], ARGV[2])
local function forget(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', letters, id)
    redis.call('HDEL', bodies, id)
  end
end
forget(redis.call('ZRANGEBYSCORE', letters, '-inf', '(' .. ARGV[4], 'LIMIT', 0, 100))
local surplus = redis.call('ZCARD', letters) - tonumber(ARGV[5])
if surplus > 0 then forget(redis.call('ZRANGE', letters, 0, math.min(surplus, 100) - 1)) end
