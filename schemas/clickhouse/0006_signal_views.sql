-- Views of the signals: one row per id. A `_now` view holds the newest reading of each scope.

CREATE OR REPLACE VIEW v_regimes AS SELECT * FROM regimes FINAL;

CREATE OR REPLACE VIEW v_regime_transitions AS SELECT * FROM regime_transitions FINAL;

CREATE OR REPLACE VIEW v_regime_resolutions AS SELECT * FROM regime_resolutions FINAL;

CREATE OR REPLACE VIEW v_imbalance AS SELECT * FROM imbalance FINAL;

CREATE OR REPLACE VIEW v_liquidity AS SELECT * FROM liquidity FINAL;

CREATE OR REPLACE VIEW v_conditions AS SELECT * FROM conditions FINAL;

CREATE OR REPLACE VIEW v_zones AS SELECT * FROM zones FINAL;

CREATE OR REPLACE VIEW v_positioning AS SELECT * FROM positioning FINAL;

CREATE OR REPLACE VIEW v_funding AS SELECT * FROM funding FINAL;

CREATE OR REPLACE VIEW v_dominance AS SELECT * FROM dominance FINAL;

CREATE OR REPLACE VIEW v_volatility AS SELECT * FROM volatility FINAL;

CREATE OR REPLACE VIEW v_health AS SELECT * FROM health FINAL;

CREATE OR REPLACE VIEW v_alerts AS SELECT * FROM alerts FINAL;

CREATE OR REPLACE VIEW v_regimes_now AS
SELECT * FROM regimes FINAL ORDER BY at DESC LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_imbalance_now AS
SELECT * FROM imbalance FINAL ORDER BY at DESC LIMIT 1 BY scope, window_s, venue;

CREATE OR REPLACE VIEW v_liquidity_now AS
SELECT * FROM liquidity FINAL ORDER BY at DESC LIMIT 1 BY scope, venue;

CREATE OR REPLACE VIEW v_conditions_now AS
SELECT * FROM conditions FINAL ORDER BY at DESC LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_zones_now AS
SELECT * FROM zones FINAL ORDER BY at DESC LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_positioning_now AS
SELECT * FROM positioning FINAL ORDER BY at DESC LIMIT 1 BY scope, window_s, venue;

CREATE OR REPLACE VIEW v_funding_now AS
SELECT * FROM funding FINAL ORDER BY at DESC LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_dominance_now AS
SELECT * FROM dominance FINAL ORDER BY at DESC LIMIT 1 BY scope, window_s;

CREATE OR REPLACE VIEW v_volatility_now AS
SELECT * FROM volatility FINAL ORDER BY at DESC LIMIT 1 BY scope, window_s;

CREATE OR REPLACE VIEW v_health_now AS
SELECT * FROM health FINAL ORDER BY at DESC LIMIT 1 BY scope;
