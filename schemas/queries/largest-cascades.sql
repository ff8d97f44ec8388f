-- The largest windows by published dollars.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 20: how many windows
SELECT scope, onset, side, class, usd_observed, usd_estimated, usd_upper, identifiability, events,
    impact_bp, duration_s, severity, id
FROM v_cascades
WHERE ({scope:String} = '*' OR scope = {scope:String})
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
ORDER BY usd_observed DESC, id
LIMIT {rows:UInt32}
