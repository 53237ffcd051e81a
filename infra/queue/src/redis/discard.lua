-- ARGV: the id. Gives whether there was such a dead letter.
local known = redis.call('HEXISTS', letters, ARGV[1])
forget_letter(ARGV[1])
return known
