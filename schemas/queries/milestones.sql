-- Round totals that the rolling 24 hours crossed, newest first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 50: how many crossings
SELECT crossed_at, scope, basis, threshold_usd, usd_observed, usd_estimated, probability,
    percentile_365d, since_previous_s, text
FROM v_milestones
WHERE ({scope:String} = '*' OR scope = {scope:String})
    AND crossed_at >= {since:DateTime('UTC')} AND crossed_at < {until:DateTime('UTC')}
ORDER BY crossed_at DESC, id
LIMIT {rows:UInt32}
