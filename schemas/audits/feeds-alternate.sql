-- A feed's words alternate: it goes down only when up and up only when down.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT venue, channel, connection, at_us, state
FROM
(
    SELECT venue, channel, connection, at_us, state,
        lagInFrame(toString(state), 1, '') OVER (
            PARTITION BY venue, channel, connection ORDER BY at_us
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS before
    FROM v_feed_status
    WHERE at_us >= {since:DateTime('UTC')} AND at_us < {until:DateTime('UTC')}
)
WHERE before = state
