-- Who was being closed before moves that came back: imbalance of the hour before the onset.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- recovery Float64 = 0.5: least share of the move taken back within 30 minutes
-- rows UInt32 = 50: how many windows
SELECT scope, onset, side, class, recovery_30m, impact_bp, long_share_1h, imbalance_z_1h,
    dominant_1h, imbalance_known_at, id
FROM v_cascade_imbalance
WHERE ({scope:String} = '*' OR scope = {scope:String})
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
    AND recovery_30m >= {recovery:Float64}
ORDER BY recovery_30m DESC, id
LIMIT {rows:UInt32}
