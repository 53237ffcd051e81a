-- Gives how many messages wait, run and are dead.
local running = redis.call('ZCARD', leased)
local waiting = redis.call('ZCARD', later) - running
for lane = 0, 2 do
  waiting = waiting + redis.call('XLEN', lane_of(lane))
end
return { waiting, running, redis.call('ZCARD', dead) }
