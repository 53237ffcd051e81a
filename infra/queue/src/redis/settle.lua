-- ARGV: now or '', for how long dead letters are kept, how many, the channel of bells, the job; then for each lease
-- its member, its key, its end ("done", "again" or "dead"), when it is due again ('' where it is not), and why.
local now, most = instant(ARGV[1]), tonumber(ARGV[3])
local before = now - ARGV[2]
local rings = false
for index = 6, #ARGV, 5 do
  local member, key, ending, due, why = ARGV[index], ARGV[index + 1], ARGV[index + 2], tonumber(ARGV[index + 3]), ARGV[index + 4]
  if take_back(member) then
    local lane, _, run, max = parts_of(member)
    if ending == 'done' then
      redis.call('HDEL', messages, key)
    elseif ending == 'again' and tonumber(run) < tonumber(max) then
      put(key, lane, due, max, run, now)
      rings = true
    else
      bury(key, lane, max, run, why, now, before, most)
    end
  end
end
if rings then ring(ARGV[4], ARGV[5]) end
