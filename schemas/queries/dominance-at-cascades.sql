-- Who led the market, derivatives or spot, before windows began.
-- scope String = *: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT ifNull(toString(dominance_state), 'unknown') AS led_by, class, count() AS windows,
    sum(usd_observed) AS total_usd, quantileExactInclusive(0.5)(dominance_ratio) AS median_ratio,
    quantileExactInclusive(0.5)(impact_bp) AS median_impact_bp
FROM v_cascade_dominance
WHERE (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL')
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
GROUP BY led_by, class
ORDER BY windows DESC, led_by, class
