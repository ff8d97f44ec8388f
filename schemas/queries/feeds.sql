-- The last word on every feed: up or down, since when, and why; of connections that renewed each other, one.
SELECT venue, channel, connection, state, reason, at_us
FROM
(
    SELECT venue, channel, connection, state, reason, at_us, id FROM v_feed_status
    ORDER BY at_us DESC, id
    LIMIT 1 BY venue, channel, connection
)
ORDER BY state = 'up' DESC, at_us DESC, venue, channel, connection, id
LIMIT 1 BY venue, channel, replaceRegexpOne(connection, '(.)[ab]$', '\\1')
