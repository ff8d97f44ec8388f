-- Market health of every scope now, with the points that each component takes.
-- rows UInt32 = 50: how many scopes
SELECT scope, at, health, band, contributions, caps, weight_coverage,
    null_reasons['health'] AS why_unknown
FROM v_health_now
ORDER BY scope != 'ALL', health ASC NULLS LAST, scope
LIMIT {rows:UInt32}
