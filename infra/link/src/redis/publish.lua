-- What browsers are shown: KEYS[1]:stream; KEYS[1]:sizes with the number and the size of each of its entries; and KEYS[1]:head
-- with the stream's `epoch`, the `last` number that was given, and how many `bytes` of messages are kept.
-- ARGV: the message, how many pushes are in it, how many were lost before it (0 or 1), how many entries are kept, for how many
-- milliseconds, and how many bytes. Where nothing is published and nothing was lost it sees that there is an epoch.
-- Gives the epoch, the last number, and the number that would have been given when the oldest that is kept was published.
local stream, sizes, head = KEYS[1] .. ':stream', KEYS[1] .. ':sizes', KEYS[1] .. ':head'
local count, lost = tonumber(ARGV[2]), tonumber(ARGV[3])
local most, most_bytes = tonumber(ARGV[4]), tonumber(ARGV[6])

-- Lua writes great numbers with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

-- The numbers go with the time, 1024 to the millisecond: should Redis have lost its last moments, none is given twice. They
-- stay below 2^53 for two centuries.
local time = redis.call('TIME')
local now = (time[1] * 1000 + math.floor(time[2] / 1000)) * 1024
local oldest = now - ARGV[5] * 1024

local known = redis.call('HMGET', head, 'epoch', 'last', 'bytes')
local epoch, last = known[1] or time[1] .. '.' .. time[2], tonumber(known[2] or '0')
local bytes = tonumber(known[3] or '0')

-- Lets go of the oldest until an entry of this size fits.
local function make_room(size)
  local entries, gone = redis.call('LLEN', sizes), nil
  while entries > 0 do
    local first, its_size = string.match(redis.call('LINDEX', sizes, 0), '^(%d+) (%d+)$')
    if entries < most and bytes + size <= most_bytes and tonumber(first) >= oldest then break end
    redis.call('LPOP', sizes)
    entries, bytes, gone = entries - 1, bytes - its_size, first
  end
  if entries == 0 then
    -- Nothing is left, also of what nobody wrote the size of.
    bytes = 0
    redis.call('XTRIM', stream, 'MAXLEN', 0)
  elseif gone then
    redis.call('XTRIM', stream, 'MINID', whole(gone + 1) .. '-0')
  end
end

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
  make_room(#ARGV[1])
  redis.call('XADD', stream, whole(first) .. '-0', 'message', ARGV[1], 'after', whole(after), 'epoch', epoch)
  redis.call('RPUSH', sizes, whole(first) .. ' ' .. #ARGV[1])
  bytes = bytes + #ARGV[1]
end
redis.call('HSET', head, 'epoch', epoch, 'last', whole(last), 'bytes', whole(bytes))
return { epoch, whole(last), whole(oldest) }
