-- What browsers are shown: KEYS[1]:stream, and KEYS[1]:head with the stream's `epoch` and the `last` number that was given.
-- ARGV: the message, how many pushes are in it, how many were lost before it (0 or 1), how many entries are kept, and for
-- how many milliseconds. Where nothing is published and nothing was lost it sees that there is an epoch.
-- Gives the epoch, the last number, and the number that would have been given when the oldest that is kept was published.
local stream, head = KEYS[1] .. ':stream', KEYS[1] .. ':head'
local count, lost = tonumber(ARGV[2]), tonumber(ARGV[3])

-- Lua writes great numbers with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

-- The numbers go with the time, 1024 to the millisecond: should Redis have lost its last moments, none is given twice. They
-- stay below 2^53 for two centuries.
local time = redis.call('TIME')
local now = (time[1] * 1000 + math.floor(time[2] / 1000)) * 1024
local oldest = whole(now - ARGV[5] * 1024)

local known = redis.call('HMGET', head, 'epoch', 'last')
local epoch, last = known[1] or time[1] .. '.' .. time[2], tonumber(known[2] or '0')

if lost > 0 then
  -- A number that nobody saw says that something was lost.
  last = math.max(last + 1, now)
end
if count + lost > 0 then
  local after = last
  if count > 0 then
    last = math.max(last + 1, now) + count - 1
  end
  -- An entry of nothing but a loss has the number of what was lost.
  local first = count > 0 and last - count + 1 or last
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], whole(first) .. '-0',
    'message', ARGV[1], 'after', whole(after), 'epoch', epoch)
  redis.call('XTRIM', stream, 'MINID', '~', oldest .. '-0')
end
redis.call('HSET', head, 'epoch', epoch, 'last', whole(last))
return { epoch, whole(last), oldest }
