-- How much of the move came back within 30 minutes, by side and severity.
-- scope String = *: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT side, ifNull(toString(severity), 'unknown') AS how_severe, count() AS windows,
    quantileExactInclusive(0.25)(recovery_30m) AS p25, quantileExactInclusive(0.5)(recovery_30m) AS median_share,
    quantileExactInclusive(0.75)(recovery_30m) AS p75, countIf(recovery_30m >= 1) AS fully_back
FROM v_cascades
WHERE (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL') AND recovery_30m IS NOT NULL
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
GROUP BY side, how_severe
ORDER BY side, windows DESC, how_severe
