-- Share of time that each feed was up, from its first word in or before the range to the newest frame or word in it.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
WITH
    toDateTime64({since:DateTime('UTC')}, 6, 'UTC') AS first_moment,
    least(toDateTime64({until:DateTime('UTC')}, 6, 'UTC'), greatest(
        assumeNotNull((SELECT max(at_us) FROM feed_status)),
        assumeNotNull((SELECT max(second) FROM frames))
    )) AS newest
SELECT venue, channel, connection, sum(if(state = 'up', stood_s, 0)) / nullIf(sum(stood_s), 0) AS up_share,
    sum(if(state = 'up', stood_s, 0)) / 3600 AS up_hours,
    countIf(state = 'down' AND at_us >= first_moment) AS times_down, min(at_us) AS first_word
FROM
(
    SELECT venue, channel, connection, state, at_us,
        leadInFrame(at_us, 1, greatest(at_us, newest)) OVER (
            PARTITION BY venue, channel, connection ORDER BY at_us
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS stood_to,
        dateDiff('millisecond', greatest(at_us, first_moment), greatest(stood_to, first_moment)) / 1000 AS stood_s
    FROM v_feed_status
    WHERE at_us < {until:DateTime('UTC')}
)
GROUP BY venue, channel, connection
ORDER BY up_share ASC NULLS LAST, venue, channel, connection
