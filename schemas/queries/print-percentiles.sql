-- Hours in which the 24 h print stood highest within its own year.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- least Float64 = 0.95: lowest percentile, 0..1
-- rows UInt32 = 50: how many hours
SELECT scope, toStartOfHour(period_start) AS hour, max(percentile_365d) AS percentile,
    max(p.usd_observed) AS highest_usd, max(n_days) AS days_behind
FROM v_prints AS p
WHERE kind = 'rolling_24h' AND venue IS NULL AND ({scope:String} = '*' OR scope = {scope:String})
    AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
    AND percentile_365d >= {least:Float64}
GROUP BY scope, hour
ORDER BY percentile DESC, highest_usd DESC, scope, hour
LIMIT {rows:UInt32}
