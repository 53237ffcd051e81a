-- ARGV: the id. Gives whether there was such a letter.
redis.call('HDEL', KEYS[1] .. ':letter', ARGV[1])
return redis.call('ZREM', KEYS[1] .. ':letters', ARGV[1])
