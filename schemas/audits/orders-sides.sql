-- A forced sell closes a long and a forced buy a short, at a price above zero.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, venue, position_side, order_side, price
FROM v_liquidations
WHERE event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')}
    AND ((position_side = 'long') != (order_side = 'sell') OR price <= 0)
