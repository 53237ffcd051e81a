-- ARGV: the key. Gives whether a message of it waited.
local key = ARGV[1]
if redis.call('HEXISTS', messages, key) == 0 then return 0 end

local function forget()
  redis.call('HDEL', messages, key)
  return 1
end

local from = 0
while true do
  local members = redis.call('ZRANGE', later, from, from + AT_ONCE - 1)
  for _, member in ipairs(members) do
    if string.match(member, '^%d+/%d+/%d+/(.*)$') == key then
      redis.call('ZREM', later, member)
      return forget()
    end
  end
  if #members < AT_ONCE then break end
  from = from + AT_ONCE
end
for lane = 0, 2 do
  local after = last_read(lane)
  while true do
    local entries = unread(lane, '(' .. after, AT_ONCE)
    for _, entry in ipairs(entries) do
      if fields_of(entry[2]).key == key then
        redis.call('XDEL', lane_of(lane), entry[1])
        return forget()
      end
      after = entry[1]
    end
    if #entries < AT_ONCE then break end
  end
end
-- It runs.
return 0
