-- A finished window's dollars and orders are those of its forced orders, without adl.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT c.id AS id, c.scope AS scope, c.onset AS onset, c.usd_observed AS usd_observed,
    e.total_usd AS orders_usd, c.events AS events, e.orders AS orders
FROM
(
    SELECT id, scope, onset, usd_observed, events FROM v_cascades
    WHERE is_final AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
) AS c
LEFT JOIN
(
    SELECT cascade_id, sum(usd) AS total_usd, count() AS orders FROM v_cascade_events
    WHERE kind != 'adl' AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
    GROUP BY cascade_id
) AS e ON c.id = e.cascade_id
WHERE c.usd_observed != e.total_usd OR c.events != e.orders
