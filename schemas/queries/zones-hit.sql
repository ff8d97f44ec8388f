-- Did price run through mapped zones: estimated dollars in the way of a window, known in the day before it.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT c.scope AS scope, c.onset AS onset, c.side AS side, c.price_onset AS price_onset,
    c.price_extreme AS price_extreme, z.known_at AS map_known_at, z.hidden AS map_hidden,
    if(z.hidden, NULL, arrayCount((low, high, of_side) -> of_side = c.side
        AND low <= greatest(c.price_onset, c.price_extreme)
        AND high >= least(c.price_onset, c.price_extreme), z.lows, z.highs, z.sides)) AS zones_hit,
    if(z.hidden, NULL, arraySum(arrayMap((usd, low, high, of_side) -> if(of_side = c.side
        AND low <= greatest(c.price_onset, c.price_extreme)
        AND high >= least(c.price_onset, c.price_extreme), usd, toDecimal64(0, 6)),
        z.usd, z.lows, z.highs, z.sides))) AS mapped_usd,
    c.usd_observed AS usd_observed, c.id AS id
FROM
(
    SELECT id, scope, onset, side, usd_observed, assumeNotNull(v_cascades.price_onset) AS price_onset,
        assumeNotNull(v_cascades.price_extreme) AS price_extreme
    FROM v_cascades
    WHERE ({scope:String} = '*' OR scope = {scope:String}) AND side != 'mixed'
        AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
        AND v_cascades.price_onset IS NOT NULL AND v_cascades.price_extreme IS NOT NULL
) AS c
ASOF INNER JOIN
(
    SELECT scope, at, watermark, toNullable(watermark) AS known_at, hidden, zones.price_low AS lows,
        zones.price_high AS highs, zones.side AS sides, zones.usd_estimated AS usd
    FROM v_zones
    WHERE ({scope:String} = '*' OR scope = {scope:String}) AND at < {until:DateTime('UTC')}
        AND at >= toDateTime64({since:DateTime('UTC')}, 6, 'UTC') - toIntervalDay(1)
) AS z ON c.scope = z.scope AND c.onset > z.watermark
WHERE z.at >= c.onset - toIntervalDay(1)
ORDER BY mapped_usd DESC NULLS LAST, onset DESC, id
LIMIT {rows:UInt32}
