-- The deepest hourly falls and the health that was told in the day before each.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 20: how many hours
WITH falls AS
(
    SELECT asset, hour, open, low, close, 10000 * log(low / open) AS fall_bp,
        toDateTime64(hour, 6, 'UTC') AS began
    FROM v_frames_1h
    WHERE ({asset:String} = '*' OR asset = {asset:String})
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')} AND open > 0 AND low < open
    ORDER BY fall_bp, asset, hour
    LIMIT {rows:UInt32}
)
SELECT f.asset AS asset, f.hour AS hour, f.fall_bp AS fall_bp, f.open AS open, f.low AS low,
    f.close AS close,
    if(h.watermark >= f.began - toIntervalDay(1), h.health, NULL) AS health_before,
    if(h.watermark >= f.began - toIntervalDay(1), h.band, NULL) AS band_before,
    if(h.watermark >= f.began - toIntervalDay(1), h.known_at, NULL) AS health_known_at
FROM falls AS f
ASOF LEFT JOIN
(
    SELECT scope, watermark, toNullable(watermark) AS known_at, health, band FROM v_health
    WHERE ({asset:String} = '*' OR scope = {asset:String}) AND at < {until:DateTime('UTC')}
        AND at >= toDateTime64({since:DateTime('UTC')}, 6, 'UTC') - toIntervalDay(1)
) AS h ON f.asset = h.scope AND f.began > h.watermark
ORDER BY fall_bp, asset, hour
