-- Each frame names the frame of its coin before it.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT asset, second, prev, before
FROM
(
    SELECT asset, second, prev,
        lagInFrame(toNullable(second)) OVER (PARTITION BY asset ORDER BY second) AS before
    FROM v_frames
    WHERE second >= {since:DateTime('UTC')} AND second < {until:DateTime('UTC')}
)
WHERE before IS NOT NULL AND ifNull(prev != before, 1)
