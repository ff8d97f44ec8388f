-- All frames of a coin come from one partition.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT asset, groupUniqArray(partition) AS partitions FROM v_frames
WHERE second >= {since:DateTime('UTC')} AND second < {until:DateTime('UTC')} GROUP BY asset HAVING length(partitions) > 1
