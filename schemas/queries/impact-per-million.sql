-- How far price moves for a million forced dollars, by scope.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT scope, count() AS windows, quantileExactInclusive(0.5)(bp) AS median_bp_per_million,
    quantileExactInclusive(0.9)(bp) AS p90_bp_per_million, sum(usd_observed) AS total_usd
FROM
(
    SELECT scope, usd_observed, abs(impact_bp) / (toFloat64(usd_observed) / 1e6) AS bp
    FROM v_cascades
    WHERE ({scope:String} = '*' OR scope = {scope:String}) AND impact_bp IS NOT NULL AND usd_observed > 0
        AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
)
GROUP BY scope
ORDER BY median_bp_per_million DESC, scope
