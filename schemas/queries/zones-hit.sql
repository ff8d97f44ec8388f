-- Did price run through mapped zones: estimated dollars in the way of a window, known in the day before it.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT c.scope AS scope, c.onset AS onset, c.side AS side, c.price_onset AS price_onset,
    c.price_extreme AS price_extreme, c.known_at AS map_known_at, c.hidden AS map_hidden,
    if(c.hidden, NULL, arrayCount((low, high, of_side) -> of_side = c.side
        AND low <= greatest(c.price_onset, c.price_extreme)
        AND high >= least(c.price_onset, c.price_extreme), z.lows, z.highs, z.sides)) AS zones_hit,
    if(c.hidden, NULL, arraySum(arrayMap((usd, low, high, of_side) -> if(of_side = c.side
        AND low <= greatest(c.price_onset, c.price_extreme)
        AND high >= least(c.price_onset, c.price_extreme), usd, toDecimal64(0, 6)),
        z.usd, z.lows, z.highs, z.sides))) AS mapped_usd,
    c.usd_observed AS usd_observed, c.id AS id
FROM
( -- The zones of shown maps alone, streamed past the few that were the newest before a window.
    SELECT scope, watermark, zones.price_low AS lows, zones.price_high AS highs,
        zones.side AS sides, zones.usd_estimated AS usd
    FROM v_zones
    WHERE NOT hidden AND ({scope:String} = '*' OR scope = {scope:String})
        AND at < {until:DateTime('UTC')}
        AND at >= toDateTime64({since:DateTime('UTC')}, 6, 'UTC') - toIntervalDay(1)
) AS z
RIGHT JOIN
(
    SELECT w.id AS id, w.scope AS scope, w.onset AS onset, w.side AS side,
        w.usd_observed AS usd_observed, assumeNotNull(w.price_onset) AS price_onset,
        assumeNotNull(w.price_extreme) AS price_extreme,
        fromUnixTimestamp64Micro(m.known_us, 'UTC') AS known_at, m.hidden AS hidden
    FROM v_cascades AS w
    ASOF INNER JOIN
    (
        SELECT scope, toUnixTimestamp64Micro(watermark) AS known_us, hidden
        FROM v_zones
        WHERE ({scope:String} = '*' OR scope = {scope:String}) AND at < {until:DateTime('UTC')}
            AND at >= toDateTime64({since:DateTime('UTC')}, 6, 'UTC') - toIntervalDay(1)
    ) AS m ON w.scope = m.scope AND toUnixTimestamp64Micro(w.onset) > m.known_us
    WHERE ({scope:String} = '*' OR w.scope = {scope:String}) AND w.side != 'mixed'
        AND w.onset >= {since:DateTime('UTC')} AND w.onset < {until:DateTime('UTC')}
        AND w.price_onset IS NOT NULL AND w.price_extreme IS NOT NULL
        AND m.known_us >= toUnixTimestamp64Micro(w.onset - toIntervalDay(1))
) AS c ON z.scope = c.scope AND z.watermark = c.known_at
ORDER BY mapped_usd DESC NULLS LAST, onset DESC, id
LIMIT {rows:UInt32}
