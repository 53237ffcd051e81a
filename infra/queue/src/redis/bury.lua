-- ARGV: now or '', for how long dead letters are kept, how many, the lease's member, the key, what is kept in the
-- message's place, and why. Makes a dead letter of what could not be understood, unless another has its lease by now.
local now, member, key = instant(ARGV[1]), ARGV[4], ARGV[5]
if take_back(member) then
  local lane, _, run, max = parts_of(member)
  redis.call('HSET', messages, key, ARGV[6])
  bury(key, lane, max, run, ARGV[7], now, now - ARGV[2], tonumber(ARGV[3]))
end
