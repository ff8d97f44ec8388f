-- How much open interest windows took away, largest drop first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT scope, onset, side, class, oi_change, oi_usd AS oi_usd_before, interest_known_at,
    oi_share, usd_observed, quadrant AS quadrant_before, id
FROM v_cascade_interest
WHERE ({scope:String} = '*' OR scope = {scope:String}) AND oi_change IS NOT NULL
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
ORDER BY oi_change, id
LIMIT {rows:UInt32}
