-- ARGV: now or '', how many at most, the lease in milliseconds, who takes them, for how long dead letters are kept, how many
-- are, what the names of signs of life begin with, how long one lasts, whether it is looked ("1") who is dead,
-- what this claim is called, and how those were whose answers this process did not hear, with spaces between them.
-- Gives in how many milliseconds a claim will next find something ('' when nothing waits), which entries were thrown away since they were no
-- messages of ours ('' when none were), then key, member, run and message of each.
local now, limit, lease, consumer = instant(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local before, most = now - ARGV[5], tonumber(ARGV[6])
local given, count, foreign = { '', '' }, 0, {}

redis.call('SET', ARGV[7] .. consumer, '', 'PX', ARGV[8])
promote(now)

local function throw_away(lane, entry)
  redis.call('XACK', lane_of(lane), GROUP, entry)
  redis.call('XDEL', lane_of(lane), entry)
  foreign[#foreign + 1] = lane_of(lane) .. ' ' .. entry
end

-- Leases an entry to this process until then. What the lease is called.
local function lease_until(ends, lane, entry, run, max)
  local member = lane .. '/' .. entry .. '/' .. run .. '/' .. max .. '/' .. consumer
  redis.call('ZADD', leased, whole(ends), member)
  redis.call('SADD', base .. ':holders', consumer)
  redis.call('SADD', base .. ':held:' .. consumer, member)
  return member
end

-- Removes the names of dead processes under which nothing is pending: that would go with them. From 7.2 on Redis makes a name for
-- who reads and finds nothing too, so it is asked for all of them.
local function forget_names()
  for lane = 0, 2 do
    local names = redis.pcall('XINFO', 'CONSUMERS', lane_of(lane), GROUP)
    for _, one in ipairs(names.err and {} or names) do
      local said = fields_of(one)
      if said.pending == 0 and redis.call('EXISTS', ARGV[7] .. said.name) == 0 then
        redis.call('XGROUP', 'DELCONSUMER', lane_of(lane), GROUP, said.name)
      end
    end
  end
end

-- What was read and is in no lease gets one that ran out: a script that failed halfway left it so. How often it was given
-- out before counts, but for the last time, which nobody heard of.
local function take_up(lane, entry, times)
  local found = redis.call('XRANGE', lane_of(lane), entry, entry)[1]
  local said = found and said_by(found)
  if said then
    lease_until(now, lane, entry, tonumber(said.runs) + times - 1, said.max)
  else
    throw_away(lane, entry)
  end
end

local function take_up_strays()
  local pending = 0
  for lane = 0, 2 do
    pending = pending + pending_in(lane)
  end
  if pending <= redis.call('ZCARD', leased) then return end
  local known, room = {}, AT_ONCE
  for _, member in ipairs(redis.call('ZRANGE', leased, 0, -1)) do
    local lane, entry = parts_of(member)
    if lane then known[lane .. '/' .. entry] = true end
  end
  for lane = 0, 2 do
    local from = '-'
    while room > 0 and pending_in(lane) > 0 do
      local page = redis.call('XPENDING', lane_of(lane), GROUP, from, '+', AT_ONCE)
      for _, stray in ipairs(page) do
        if room > 0 and not known[lane .. '/' .. stray[1]] then
          take_up(lane, stray[1], stray[4])
          room = room - 1
        end
        from = '(' .. stray[1]
      end
      if #page < AT_ONCE then break end
    end
  end
end

-- What a dead process held is given to the next at once. Its name goes after the last of it.
if ARGV[9] == '1' then
  for _, holder in ipairs(redis.call('SMEMBERS', base .. ':holders')) do
    if redis.call('EXISTS', ARGV[7] .. holder) == 0 then
      local held = redis.call('SMEMBERS', base .. ':held:' .. holder)
      for _, member in ipairs(held) do
        redis.call('ZADD', leased, 'XX', whole(now), member)
      end
      if #held == 0 then redis.call('SREM', base .. ':holders', holder) end
    end
  end
  take_up_strays()
  forget_names()
end

local function give(lane, entry, key, max, run)
  local message = redis.call('HGET', messages, key)
  local member = lease_until(now + lease, lane, entry, run, max)
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

-- What this process took by claims whose answers it did not hear is given again, as the same runs.
local claims = base .. ':claims:' .. consumer
local function give_unheard()
  local unheard = {}
  for id in string.gmatch(ARGV[11], '%S+') do
    unheard[id] = true
  end
  for _, id in ipairs(redis.call('HKEYS', claims)) do
    for _, taken in ipairs(unheard[id] and cjson.decode(redis.call('HGET', claims, id)) or {}) do
      local key, member = taken[1], taken[2]
      -- What has ended by now is in no lease of that name.
      if count < limit and end_lease(member) then
        local lane, entry, run, max = parts_of(member)
        give(lane, entry, key, max, tonumber(run))
      end
    end
  end
  redis.call('DEL', claims)
end

-- Whose lease ran out is given to the next, who is counted; or it is a dead letter.
local run_out = redis.call('ZRANGEBYSCORE', leased, '-inf', whole(now), 'LIMIT', 0, AT_ONCE)
local function give_run_out(lane)
  for _, member in ipairs(run_out) do
    local of, entry, run, max = parts_of(member)
    if not of then
      -- No lease of ours.
      redis.call('ZREM', leased, member)
    elseif tonumber(of) == lane and count < limit then
      local claimed = redis.call('XCLAIM', lane_of(lane), GROUP, consumer, 0, entry)[1]
      local said = claimed and said_by(claimed)
      local key = said and said.key
      if not key then
        end_lease(member)
        if claimed then throw_away(lane, entry) end
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
      local said = said_by(entry)
      if said then
        give(lane, entry[1], said.key, said.max, tonumber(said.runs) + 1)
      else
        throw_away(lane, entry[1])
      end
    end
  end
end

give_unheard()
for lane = 0, 2 do
  give_run_out(lane)
  give_new(lane)
end
if count > 0 then
  local taken = {}
  for index = 3, #given, 4 do
    taken[#taken + 1] = { given[index], given[index + 1] }
  end
  redis.call('HSET', claims, ARGV[10], cjson.encode(taken))
  redis.call('PEXPIRE', claims, lease)
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
if next_due then given[1] = whole(math.max(next_due - now, 0)) end
given[2] = table.concat(foreign, ', ')
return given
