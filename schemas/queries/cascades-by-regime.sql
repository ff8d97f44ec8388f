-- In which leverage phase windows began: how many, how large, how far price went.
-- scope String = *: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT ifNull(toString(regime), 'unknown') AS regime_before, class, count() AS windows,
    sum(usd_observed) AS total_usd, quantileExactInclusive(0.5)(impact_bp) AS median_impact_bp,
    min(impact_bp) AS worst_impact_bp
FROM v_cascade_regime
WHERE (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL')
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
GROUP BY regime_before, class
ORDER BY total_usd DESC, regime_before, class
