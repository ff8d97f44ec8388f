-- Windows that followed another: how long after it and how large against it.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 50: how many windows
SELECT a.scope AS scope, a.onset AS onset, a.side AS side, a.usd_observed AS usd_observed,
    m.onset AS main_onset, m.usd_observed AS main_usd,
    dateDiff('second', m.onset, a.onset) AS after_s,
    toFloat64(a.usd_observed) / nullIf(toFloat64(m.usd_observed), 0) AS size_ratio,
    a.id AS id, m.id AS main_id
FROM v_cascades AS a
INNER JOIN v_cascades AS m ON a.parent_id = m.id
WHERE ({scope:String} = '*' OR a.scope = {scope:String})
    AND a.onset >= {since:DateTime('UTC')} AND a.onset < {until:DateTime('UTC')}
ORDER BY onset DESC, id
LIMIT {rows:UInt32}
