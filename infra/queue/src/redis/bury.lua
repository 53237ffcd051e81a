-- ARGV: now, before when dead letters are forgotten, how many are kept, the lease's member, the key, what is kept in the
-- message's place, and why. Makes a dead letter of what could not be understood, unless another has its lease by now.
local member, key = ARGV[4], ARGV[5]
if take_back(member) then
  local lane, _, run, max = parts_of(member)
  redis.call('HSET', messages, key, ARGV[6])
  bury(key, lane, max, run, ARGV[7], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
end
