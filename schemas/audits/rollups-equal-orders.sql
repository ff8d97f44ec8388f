-- The hours stored for forced orders equal the orders themselves.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT asset, hour, sum(stored_usd) AS rollup_usd, sum(base_usd) AS orders_usd, sum(stored_n) AS rollup_orders,
    sum(base_n) AS orders
FROM
(
    SELECT asset, hour, total_usd AS stored_usd, toDecimal128(0, 6) AS base_usd, orders AS stored_n,
        toUInt64(0) AS base_n
    FROM v_liquidations_1h WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    UNION ALL
    SELECT asset, toStartOfHour(event_time_us) AS hour, toDecimal128(0, 6) AS stored_usd,
        toDecimal128(usd, 6) AS base_usd, toUInt64(0) AS stored_n, toUInt64(1) AS base_n
    FROM v_liquidations WHERE toStartOfHour(event_time_us) >= {since:DateTime('UTC')} AND toStartOfHour(event_time_us) < {until:DateTime('UTC')}
)
GROUP BY asset, hour
HAVING rollup_usd != orders_usd OR rollup_orders != orders
