-- Share of time that each feed was up, from its first word to the newest of frames and words; connections that renewed each other are one.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
WITH
    toDateTime64({since:DateTime('UTC')}, 6, 'UTC') AS first_moment,
    least(toDateTime64({until:DateTime('UTC')}, 6, 'UTC'), greatest(
        assumeNotNull((SELECT max(at_us) FROM feed_status)),
        assumeNotNull((SELECT max(second) FROM frames))
    )) AS newest
SELECT venue, channel, argMax(name, at_us) AS connection,
    sumIf(stood_s, holders > 0) / nullIf(sum(stood_s), 0) AS up_share,
    sumIf(stood_s, holders > 0) / 3600 AS up_hours,
    countIf(holders = 0 AND step < 0 AND at_us >= first_moment) AS times_down, min(at_us) AS first_word
FROM
(
    SELECT venue, channel, place, name, at_us, step,
        sum(step) OVER (PARTITION BY venue, channel, place ORDER BY at_us, step DESC, name
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS holders,
        leadInFrame(at_us, 1, greatest(at_us, newest)) OVER (
            PARTITION BY venue, channel, place ORDER BY at_us, step DESC, name
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS stood_to,
        dateDiff('millisecond', greatest(at_us, first_moment), greatest(stood_to, first_moment)) / 1000 AS stood_s
    FROM
    (
        SELECT venue, channel, connection AS name, replaceRegexpOne(connection, '(.)[ab]$', '\\1') AS place, at_us,
            toInt8(state = 'up') - lagInFrame(toInt8(state = 'up'), 1, toInt8(0)) OVER (
                PARTITION BY venue, channel, connection ORDER BY at_us, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS step
        FROM v_feed_status
        WHERE at_us < {until:DateTime('UTC')}
    )
)
GROUP BY venue, channel, place
ORDER BY up_share ASC NULLS LAST, venue, channel, connection
