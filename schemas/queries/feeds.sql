-- The last word on every feed: up or down, since when, and why.
SELECT venue, channel, connection, state, reason, at_us
FROM v_feed_status
ORDER BY at_us DESC, venue, channel, connection, id
LIMIT 1 BY venue, channel, connection
