-- The UTC days with most forced dollars, as published.
-- scope String = ALL: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 20: how many days
SELECT scope, toDate(period_start) AS day, usd_observed, usd_estimated, usd_upper, long_usd, short_usd,
    events, largest_usd, max_hour_share, is_final
FROM v_prints
WHERE kind = 'utc_day' AND venue IS NULL AND ({scope:String} = '*' OR scope = {scope:String})
    AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
ORDER BY usd_observed DESC, scope, day
LIMIT {rows:UInt32}
