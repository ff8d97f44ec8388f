-- Share of time that each feed was up, between its first and the newest word on any feed.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
WITH (SELECT max(at_us) FROM v_feed_status WHERE at_us < {until:DateTime('UTC')}) AS newest
SELECT venue, channel, connection, sum(if(state = 'up', stood_s, 0)) / nullIf(sum(stood_s), 0) AS up_share,
    sum(if(state = 'up', stood_s, 0)) / 3600 AS up_hours, countIf(state = 'down') AS times_down,
    min(at_us) AS first_word
FROM
(
    SELECT venue, channel, connection, state, at_us,
        dateDiff('millisecond', at_us, leadInFrame(at_us, 1, assumeNotNull(newest)) OVER (
            PARTITION BY venue, channel, connection ORDER BY at_us
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )) / 1000 AS stood_s
    FROM v_feed_status
    WHERE at_us >= {since:DateTime('UTC')} AND at_us < {until:DateTime('UTC')}
)
GROUP BY venue, channel, connection
ORDER BY up_share ASC NULLS LAST, venue, channel, connection
