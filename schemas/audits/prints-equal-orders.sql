-- A finished day's print equals the forced orders of the day, without adl.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT p.id AS id, p.scope AS scope, p.day AS day, p.usd_observed AS usd_observed,
    o.total_usd AS orders_usd, p.events AS events, o.orders AS orders
FROM
(
    SELECT id, toString(v_prints.scope) AS scope, toDate(period_start) AS day, usd_observed, events
    FROM v_prints
    WHERE kind = 'utc_day' AND venue IS NULL AND is_final AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
) AS p
LEFT JOIN
(
    SELECT arrayJoin([toString(asset), 'ALL']) AS scope, toDate(hour) AS day,
        sum(h.total_usd) AS total_usd, sum(h.orders) AS orders
    FROM v_liquidations_1h AS h
    WHERE kind != 'adl' AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')} + INTERVAL 1 DAY
    GROUP BY scope, day
) AS o ON p.scope = o.scope AND p.day = o.day
WHERE p.usd_observed != o.total_usd OR p.events != o.orders
