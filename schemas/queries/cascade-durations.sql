-- How long windows last, in seconds, by class and side.
-- scope String = *: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT class, side, count() AS windows, quantileExactInclusive(0.1)(duration_s) AS p10_s,
    quantileExactInclusive(0.5)(duration_s) AS median_s, quantileExactInclusive(0.9)(duration_s) AS p90_s,
    max(duration_s) AS longest_s
FROM v_cascades
WHERE (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL') AND duration_s IS NOT NULL
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
GROUP BY class, side
ORDER BY class, side
