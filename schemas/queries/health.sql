-- Market health of every scope now, with the points that each component takes.
-- scope String = *: asset, ALL for the market, * for all
-- rows UInt32 = 50: how many scopes
SELECT scope, at, health, band, contributions, caps, weight_coverage,
    null_reasons['health'] AS why_unknown, missing
FROM v_health_now
WHERE ({scope:String} = '*' OR scope = {scope:String})
ORDER BY scope != 'ALL', health ASC NULLS LAST, scope
LIMIT {rows:UInt32}
