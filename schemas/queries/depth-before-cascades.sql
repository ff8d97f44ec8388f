-- Depth and spread as they were known before windows, thinnest first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT w.scope AS scope, w.onset AS onset, w.side AS side, w.class AS class,
    w.thinness AS depth_ratio, d.z AS liquidity_z, d.state AS liquidity_state,
    d.spread_bp AS spread_bp, if(empty(d.bid_usd), NULL, d.bid_usd[1]) AS bid_10bp_usd,
    if(empty(d.ask_usd), NULL, d.ask_usd[1]) AS ask_10bp_usd, d.watermark AS depth_known_at,
    w.depth_min_ratio AS depth_min_ratio, w.impact_bp AS impact_bp, w.id AS id
FROM v_liquidity AS d
INNER JOIN
( -- Narrow columns choose the windows; dollars and spread are then read of their readings alone.
    SELECT c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
        c.depth_min_ratio AS depth_min_ratio, c.impact_bp AS impact_bp, r.at AS at,
        r.known_us AS known_us, r.ratio AS thinness
    FROM v_cascades AS c
    ASOF INNER JOIN
    (
        SELECT scope, at, toUnixTimestamp64Micro(watermark) AS known_us,
            if(empty(depth_ratio), NULL, depth_ratio[1]) AS ratio
        FROM v_liquidity
        WHERE venue IS NULL AND ({scope:String} = '*' OR scope = {scope:String})
            AND at < {until:DateTime('UTC')}
    ) AS r ON c.scope = r.scope AND toUnixTimestamp64Micro(c.onset) > r.known_us
    WHERE ({scope:String} = '*' OR c.scope = {scope:String}) AND r.ratio IS NOT NULL
        AND c.onset >= {since:DateTime('UTC')} AND c.onset < {until:DateTime('UTC')}
    ORDER BY thinness, id
    LIMIT {rows:UInt32}
) AS w ON d.scope = w.scope AND d.at = w.at AND toUnixTimestamp64Micro(d.watermark) = w.known_us
WHERE d.venue IS NULL
ORDER BY depth_ratio, id
