-- The messages of one job, all below KEYS[1]:
--   :messages     key -> message, of those that wait or run
--   :lane:0 .. 2  streams of what is due, urgent first; read through the consumer group "workers"
--   :later        what is not due yet, by when it is: "lane/max/runs/key"
--   :leased       what was given out, by when its lease runs out: "lane/entry/run/max/holder"
--   :holders      the processes that hold something; :held:<process> what each holds
--   :claims:<process> what its last claim took, by what that is called: its answer may be lost
--   :dead         ids of dead letters, by when they died; :letters and :bodies say what they are
--   :serial       the last id of a dead letter
--
-- The last two of ARGV are taken off first: the key under which this Redis keeps its name, and what that must be ('' when any
-- will do). What another is given is lost once the one of before is back, and what another says of leases is wrong.
local name, key_of_name = table.remove(ARGV), table.remove(ARGV)
if name ~= '' and redis.call('GET', key_of_name) ~= name then
  return redis.error_reply('ANOTHER it has lost everything, or is another one than that which the jobs wait in')
end

-- The instant to go by: that of Redis's own clock, unless one is given. Processes' clocks differ, and jump.
local function instant(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local base = KEYS[1]
local messages, later, leased = base .. ':messages', base .. ':later', base .. ':leased'
local dead, letters, bodies = base .. ':dead', base .. ':letters', base .. ':bodies'
local GROUP, AT_ONCE = 'workers', 500

local function lane_of(number)
  return base .. ':lane:' .. number
end

-- Lua writes great numbers with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

local function fields_of(flat)
  local fields = {}
  for index = 1, #flat, 2 do
    fields[flat[index]] = flat[index + 1]
  end
  return fields
end

-- What an entry of a lane says of a message; nothing when it is none of ours.
local function said_by(entry)
  local said = fields_of(entry[2])
  local function is_number(field)
    return said[field] and string.match(said[field], '^%d+$')
  end
  if said.key and is_number('max') and is_number('runs') and tonumber(said.due) then return said end
end

-- The last entry of a lane that was given out.
local function last_read(lane)
  local groups = redis.pcall('XINFO', 'GROUPS', lane_of(lane))
  local group = not groups.err and groups[1]
  return group and fields_of(group)['last-delivered-id'] or '0-0'
end

-- How many entries of a lane were given out and are not settled.
local function pending_in(lane)
  local groups = redis.pcall('XINFO', 'GROUPS', lane_of(lane))
  local group = not groups.err and groups[1]
  return group and fields_of(group)['pending'] or 0
end

local function unread(lane, from, count)
  if count < 1 then return {} end
  return redis.call('XRANGE', lane_of(lane), from, '+', 'COUNT', count)
end

-- Puts a message where it waits. It has been run `runs` times.
local function put(key, lane, due, max, runs, now)
  if due <= now then
    redis.call('XADD', lane_of(lane), '*', 'key', key, 'max', max, 'runs', runs, 'due', whole(due))
  else
    redis.call('ZADD', later, whole(due), lane .. '/' .. max .. '/' .. runs .. '/' .. key)
  end
end

-- Moves what has become due into its lane, the longest due first.
local function promote(now)
  local ready = redis.call('ZRANGEBYSCORE', later, '-inf', whole(now), 'WITHSCORES', 'LIMIT', 0, AT_ONCE)
  for index = 1, #ready, 2 do
    local lane, max, runs, key = string.match(ready[index], '^(%d+)/(%d+)/(%d+)/(.*)$')
    redis.call('ZREM', later, ready[index])
    if key then put(key, lane, tonumber(ready[index + 1]), max, runs, now) end
  end
end

-- Wakes who waits for a job. What is written stays written, also where an ACL refuses the channel: then nobody is woken.
local function ring(channel, job)
  redis.pcall('PUBLISH', channel, job)
end

-- The parts of what was given out.
local function parts_of(member)
  return string.match(member, '^(%d+)/([^/]+)/(%d+)/(%d+)/(.*)$')
end

-- Ends a lease. False when there is none of this name any more.
local function end_lease(member)
  if redis.call('ZREM', leased, member) == 0 then return false end
  local _, _, _, _, holder = parts_of(member)
  redis.call('SREM', base .. ':held:' .. holder, member)
  return true
end

local function forget_letter(id)
  redis.call('ZREM', dead, id)
  redis.call('HDEL', letters, id)
  redis.call('HDEL', bodies, id)
end

-- Makes a dead letter of a message, and forgets those that are too old (`before`) or too many (`most`).
local function bury(key, lane, max, runs, why, now, before, most)
  local message = redis.call('HGET', messages, key)
  if not message then return end
  redis.call('HDEL', messages, key)
  local id = string.format('%015d', redis.call('INCR', base .. ':serial'))
  redis.call('ZADD', dead, whole(now), id)
  redis.call('HSET', letters, id, cjson.encode({ tonumber(runs), whole(now), tostring(lane), tostring(max), key, why }))
  redis.call('HSET', bodies, id, message)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', dead, '-inf', '(' .. whole(before), 'LIMIT', 0, AT_ONCE)) do
    forget_letter(old)
  end
  local surplus = redis.call('ZCARD', dead) - most
  if surplus > 0 then
    for _, old in ipairs(redis.call('ZRANGE', dead, 0, math.min(surplus, AT_ONCE) - 1)) do
      forget_letter(old)
    end
  end
end

-- Takes what was given out back from who has it. False when another has it by now, or nobody.
local function take_back(member)
  if not end_lease(member) then return false end
  local lane, entry = parts_of(member)
  redis.call('XACK', lane_of(lane), GROUP, entry)
  redis.call('XDEL', lane_of(lane), entry)
  return true
end
