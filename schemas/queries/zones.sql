-- The liquidation map of an asset now: one line a zone; empty while the map has shown no skill.
-- scope String = BTC: asset
SELECT at, price, hidden, skill, n_scored, zone.1 AS price_low, zone.2 AS price_high,
    zone.3 AS side, zone.4 AS usd_estimated, zone.5 AS distance_bp
FROM v_zones_now
LEFT ARRAY JOIN arrayZip(zones.price_low, zones.price_high, zones.side, zones.usd_estimated,
    zones.distance_bp) AS zone
WHERE scope = {scope:String}
ORDER BY abs(zone.5)
