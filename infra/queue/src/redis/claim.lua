-- ARGV: now, how many at most, the lease in milliseconds, who takes them, before when dead letters are forgotten, how many
-- are kept, what the names of signs of life begin with, how long one lasts, and whether it is looked ("1") who is dead.
-- Gives when a claim will next find something ('' when nothing waits), then key, member, run and message of each.
local now, limit, lease, consumer = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local before, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local given, count = { '' }, 0

redis.call('SET', ARGV[7] .. consumer, '', 'PX', ARGV[8])
promote(now)

-- What a dead process held is given to the next at once. Its name goes with the last of it.
if ARGV[9] == '1' then
  for _, holder in ipairs(redis.call('SMEMBERS', base .. ':holders')) do
    if redis.call('EXISTS', ARGV[7] .. holder) == 0 then
      local held = redis.call('SMEMBERS', base .. ':held:' .. holder)
      for _, member in ipairs(held) do
        redis.call('ZADD', leased, 'XX', whole(now), member)
      end
      if #held == 0 then
        redis.call('SREM', base .. ':holders', holder)
        for lane = 0, 2 do
          redis.pcall('XGROUP', 'DELCONSUMER', lane_of(lane), GROUP, holder)
        end
      end
    end
  end
end

local function give(lane, entry, key, max, run)
  local message = redis.call('HGET', messages, key)
  local member = lane .. '/' .. entry .. '/' .. run .. '/' .. max .. '/' .. consumer
  redis.call('ZADD', leased, whole(now + lease), member)
  redis.call('SADD', base .. ':holders', consumer)
  redis.call('SADD', base .. ':held:' .. consumer, member)
  if not message then
    -- It was withdrawn.
    take_back(member)
    return
  end
  count = count + 1
  for _, part in ipairs({ key, member, tostring(run), message }) do
    given[#given + 1] = part
  end
end

-- Whose lease ran out is given to the next, who is counted; or it is a dead letter.
local run_out = redis.call('ZRANGEBYSCORE', leased, '-inf', whole(now), 'LIMIT', 0, AT_ONCE)
local function give_run_out(lane)
  for _, member in ipairs(run_out) do
    local of, entry, run, max = parts_of(member)
    if tonumber(of) == lane and count < limit then
      local claimed = redis.call('XCLAIM', lane_of(lane), GROUP, consumer, 0, entry)[1]
      local key = claimed and fields_of(claimed[2]).key
      if not key then
        end_lease(member)
      elseif tonumber(run) >= tonumber(max) then
        take_back(member)
        bury(key, lane, max, run, 'its last run did not end in time', now, before, most)
      else
        end_lease(member)
        give(lane, entry, key, max, tonumber(run) + 1)
      end
    end
  end
end

local function read(lane, many)
  local command = { 'XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', many, 'STREAMS', lane_of(lane), '>' }
  local streams = redis.pcall(unpack(command))
  if streams and streams.err then
    redis.call('XGROUP', 'CREATE', lane_of(lane), GROUP, '0', 'MKSTREAM')
    streams = redis.call(unpack(command))
  end
  return streams and streams[1][2] or {}
end

local function give_new(lane)
  while count < limit do
    local entries = read(lane, limit - count)
    if #entries == 0 then return end
    for _, entry in ipairs(entries) do
      local fields = fields_of(entry[2])
      give(lane, entry[1], fields.key, fields.max, tonumber(fields.runs) + 1)
    end
  end
end

for lane = 0, 2 do
  give_run_out(lane)
  give_new(lane)
end

local next_due
if count >= limit then
  next_due = now
else
  for _, set in ipairs({ later, leased }) do
    local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
    if first and (not next_due or tonumber(first) < next_due) then next_due = tonumber(first) end
  end
end
if next_due then given[1] = whole(next_due) end
return given
