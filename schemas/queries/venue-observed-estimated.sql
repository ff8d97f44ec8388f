-- Published against estimated dollars by venue over finished UTC days.
-- scope String = ALL: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT venue, count() AS days, sum(p.usd_observed) AS total_observed,
    sumIf(p.usd_observed, p.usd_estimated IS NOT NULL) AS observed_where_estimated,
    sum(p.usd_estimated) AS total_estimated, countIf(p.usd_estimated IS NULL) AS days_not_estimated,
    toFloat64(total_estimated) / nullIf(toFloat64(observed_where_estimated), 0) AS estimated_over_observed
FROM v_prints AS p
WHERE kind = 'utc_day' AND venue IS NOT NULL AND is_final AND (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL')
    AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
GROUP BY venue
ORDER BY total_observed DESC, venue
