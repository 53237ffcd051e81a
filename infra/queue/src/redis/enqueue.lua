-- ARGV: now or '', the channel of bells, the job; then for each message its key, lane, when it is due ('' at once), max and itself.
local now = instant(ARGV[1])
promote(now)
for index = 4, #ARGV, 5 do
  local key, lane, due, max, message = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2]), ARGV[index + 3], ARGV[index + 4]
  if redis.call('HSETNX', messages, key, message) == 1 then
    put(key, lane, due or now, max, 0, now)
  end
end
ring(ARGV[2], ARGV[3])
