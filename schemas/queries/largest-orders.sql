-- The largest single forced orders.
-- asset String = *: coin, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 20: how many orders
SELECT event_time_us, asset, venue, symbol, kind, position_side, price, usd, completeness, is_late, id
FROM v_liquidations
WHERE kind != 'adl' AND (asset, event_time_us) IN
( -- Three narrow columns find the orders; the wide ones are then read of them alone.
    SELECT asset, event_time_us
    FROM v_liquidations
    WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
        AND event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')}
    ORDER BY usd DESC, asset, event_time_us
    LIMIT {rows:UInt32}
)
ORDER BY usd DESC, asset, event_time_us, id
LIMIT {rows:UInt32}
