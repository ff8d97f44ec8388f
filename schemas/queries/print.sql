-- The newest 24 h liquidation print of every scope.
-- rows UInt32 = 20: how many scopes
SELECT scope, as_of, usd_observed, usd_estimated, usd_upper, identifiability, long_usd, short_usd,
    events, max_hour_share, percentile_365d, oi_share
FROM v_print_24h
ORDER BY usd_observed DESC, scope
LIMIT {rows:UInt32}
