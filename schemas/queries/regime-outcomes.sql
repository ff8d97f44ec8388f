-- What changes to the liquidation phase led to within 72 hours.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT t.scope AS scope, ifNull(toString(r.resolved), 'not known') AS led_to, count() AS changes,
    quantileExactInclusive(0.5)(10000 * log(r.price_high_after / r.price_before)) AS median_move_bp,
    max(t.at) AS newest
FROM v_regime_transitions AS t
INNER JOIN v_regime_resolutions AS r ON r.transition_id = t.id
WHERE ({scope:String} = '*' OR t.scope = {scope:String})
    AND t.at >= {since:DateTime('UTC')} AND t.at < {until:DateTime('UTC')}
GROUP BY scope, led_to
ORDER BY scope, changes DESC, led_to
