-- The forced orders of one window, in time; take its id from cascades or largest-cascades.
-- id String = : id of the window
-- rows UInt32 = 1000: how many orders
SELECT event_time_us, asset, venue, symbol, position_side, kind, price, usd, completeness, is_late
FROM v_cascade_events
WHERE cascade_id = {id:String}
ORDER BY event_time_us, v_cascade_events.id
LIMIT {rows:UInt32}
