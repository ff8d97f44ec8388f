-- Forced dollars in frames equal the orders that came in time, by coin and hour.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT asset, hour, sum(f_usd) AS frames_usd, sum(o_usd) AS orders_usd
FROM
(
    SELECT asset, hour, forced_long_usd + forced_short_usd AS f_usd, toDecimal128(0, 6) AS o_usd
    FROM v_frames_1h WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    UNION ALL
    SELECT asset, hour, toDecimal128(0, 6) AS f_usd, total_usd - late_usd AS o_usd
    FROM v_liquidations_1h WHERE kind != 'adl' AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
)
GROUP BY asset, hour
HAVING frames_usd != orders_usd
