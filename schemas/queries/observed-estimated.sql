-- Published dollars against estimated ones, by finished UTC day.
-- scope String = ALL: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 90: how many days
SELECT toDate(period_start) AS day, scope, usd_observed, usd_estimated, usd_upper, identifiability,
    toFloat64(usd_estimated) / nullIf(toFloat64(usd_observed), 0) AS estimated_over_observed,
    coverage
FROM v_prints
WHERE kind = 'utc_day' AND venue IS NULL AND is_final AND ({scope:String} = '*' OR scope = {scope:String})
    AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
ORDER BY day DESC, scope
LIMIT {rows:UInt32}
