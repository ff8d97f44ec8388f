-- A number that is null has its reason.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT 'cascades' AS kind, id, field
FROM v_cascades
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(usd_estimated IS NULL, 'usd_estimated', ''), if(usd_upper IS NULL, 'usd_upper', ''), if(impact_bp IS NULL, 'impact_bp', ''), if(recovery_30m IS NULL, 'recovery_30m', ''), if(oi_share IS NULL, 'oi_share', ''), if(oi_change IS NULL, 'oi_change', '')]) AS field
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} AND is_final
UNION ALL
SELECT 'prints' AS kind, id, field
FROM v_prints
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(usd_estimated IS NULL, 'usd_estimated', ''), if(usd_upper IS NULL, 'usd_upper', ''), if(max_hour_share IS NULL, 'max_hour_share', ''), if(percentile_365d IS NULL, 'percentile_365d', ''), if(oi_share IS NULL, 'oi_share', '')]) AS field
WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
UNION ALL
SELECT 'regimes' AS kind, id, field
FROM v_regimes
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(state IS NULL, 'state', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
UNION ALL
SELECT 'liquidity' AS kind, id, field
FROM v_liquidity
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(state IS NULL, 'state', ''), if(z IS NULL, 'z', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
UNION ALL
SELECT 'health' AS kind, id, field
FROM v_health
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(health IS NULL, 'health', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
UNION ALL
SELECT 'funding' AS kind, id, field
FROM v_funding
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(rate_8h IS NULL, 'rate_8h', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
UNION ALL
SELECT 'dominance' AS kind, id, field
FROM v_dominance
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(ratio IS NULL, 'ratio', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
UNION ALL
SELECT 'volatility' AS kind, id, field
FROM v_volatility
ARRAY JOIN arrayFilter(f -> f != '' AND NOT mapContains(null_reasons, f), [if(realised IS NULL, 'realised', '')]) AS field
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
