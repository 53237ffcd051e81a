-- ARGV: now or '', the channel of bells, the job, the id. Gives whether there was such a dead letter.
local now, id = instant(ARGV[1]), ARGV[4]
local letter, message = redis.call('HGET', letters, id), redis.call('HGET', bodies, id)
if not letter or not message then return 0 end
local told = cjson.decode(letter)
forget_letter(id)
-- A key that waits or runs again is the same work.
if redis.call('HSETNX', messages, told[5], message) == 1 then
  put(told[5], told[3], now, told[4], 0, now)
  ring(ARGV[2], ARGV[3])
end
return 1
