-- ARGV: now or '', how many at most. Gives when each is due, how often it was run, and the message; those that are given next first.
local now, limit, found = instant(ARGV[1]), tonumber(ARGV[2]), {}
promote(now)

local function add(key, due, runs)
  local message = redis.call('HGET', messages, key)
  if message then
    for _, part in ipairs({ due, runs, message }) do
      found[#found + 1] = part
    end
  end
end

for lane = 0, 2 do
  for _, entry in ipairs(unread(lane, '(' .. last_read(lane), limit - #found / 3)) do
    local said = said_by(entry)
    if said then add(said.key, said.due, said.runs) end
  end
end
if #found / 3 < limit then
  local rest = redis.call('ZRANGEBYSCORE', later, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, limit - #found / 3)
  for index = 1, #rest, 2 do
    local _, _, runs, key = string.match(rest[index], '^(%d+)/(%d+)/(%d+)/(.*)$')
    if key then add(key, whole(tonumber(rest[index + 1])), runs) end
  end
end
return found
