-- Share of frames in which every subscribed venue was healthy, by coin and UTC day.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 100: how many lines, worst first
SELECT asset, toDate(hour) AS day, sum(h.frames) AS seconds_told, sum(h.complete) / seconds_told AS complete_share,
    min(h.coverage_min) AS lowest_coverage, count() AS hours
FROM v_frames_1h AS h
WHERE ({asset:String} = '*' OR asset = {asset:String})
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY asset, day
ORDER BY complete_share, day DESC, asset
LIMIT {rows:UInt32}
