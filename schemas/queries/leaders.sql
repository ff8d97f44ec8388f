-- Which venue moved first, how often, and in how many windows nobody could be told apart.
-- scope String = *: asset, ALL for the market, * for every asset (ALL holds the same orders again)
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT ifNull(toString(origin_venue), 'within the clocks'' doubt') AS led_by, count() AS windows,
    windows / sum(windows) OVER () AS share, sum(usd_observed) AS total_usd
FROM v_cascades
WHERE (scope = {scope:String} OR {scope:String} = '*' AND scope != 'ALL') AND class = 'cascade'
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
GROUP BY led_by
ORDER BY windows DESC, led_by
