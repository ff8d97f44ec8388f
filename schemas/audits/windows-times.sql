-- A window's times stand in order: onset, detection and peak, end, close.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, onset, detected_at, peak_at, end, closed_at, duration_s
FROM v_cascades
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
    AND (detected_at < onset OR peak_at < onset OR end < onset OR closed_at < end
        OR closed_at < detected_at OR (end IS NULL) != (duration_s IS NULL)
        OR (is_final AND end IS NULL)
        OR abs(duration_s - dateDiff('microsecond', onset, end) / 1e6) > 1)
