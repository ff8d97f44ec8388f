"""Panels of market facts over the views of the warehouse, for the asset chosen above them.

Each statement uses the plugin's macros ($__timeFilter, $__timeInterval) and the variable `scope`;
a null stays a gap in a line. A test runs every statement on a migrated store.
"""

from typing import Final

from streams.edges.grafana_panels import Panel

_USD: Final = "currencyUSD"

MARKET_PANELS: Final = (
    Panel(
        "Forced in 24 hours",
        "stat",
        (
            "SELECT usd_observed AS observed, usd_estimated AS estimated,\n"
            "    usd_upper AS upper_bound\n"
            "FROM v_print_24h WHERE scope = ${scope:singlequote}",
        ),
        "Published dollars, the estimate with what venues leave out, and its upper bound.",
        unit=_USD,
        empty="no print of this asset",
        width=10,
        height=5,
    ),
    Panel(
        "Market health",
        "stat",
        ("SELECT health, weight_coverage FROM v_health_now WHERE scope = ${scope:singlequote}",),
        "0 to 100, and the share of weight whose inputs are known.",
        empty="too little known",
        steps=(),
        width=6,
        height=5,
    ),
    Panel(
        "Phase",
        "table",
        (
            "SELECT state, sub_state, crowd_side, since, p_euphoria, p_liquidation\n"
            "FROM v_regimes_now WHERE scope = ${scope:singlequote}",
        ),
        "The committed leverage phase and since when.",
        empty="no reading of this asset",
        width=8,
        height=5,
    ),
    Panel(
        "Forced orders by side",
        "timeseries",
        (
            "SELECT $__timeInterval(event_time_us) AS time, position_side, sum(usd) AS usd\n"
            "FROM v_liquidations\n"
            "WHERE $__timeFilter(event_time_us) AND ${scope:singlequote} IN ('ALL', asset)\n"
            "GROUP BY time, position_side ORDER BY time",
        ),
        "Dollars of published forced orders; what venues leave out is not in it.",
        unit=_USD,
        empty="no forced order in this range",
        width=12,
        stacked=True,
    ),
    Panel(
        "Health over time",
        "timeseries",
        (
            "SELECT at AS time, health, 100 * weight_coverage AS known_weight\n"
            "FROM v_health WHERE $__timeFilter(at) AND scope = ${scope:singlequote} ORDER BY time",
        ),
        "Gaps: too little was known.",
        empty="no reading in this range",
        width=12,
    ),
    Panel(
        "Cascades",
        "table",
        (
            "SELECT onset, side, class, phase, is_final, duration_s, events, usd_observed,\n"
            "    usd_estimated, usd_upper, identifiability, impact_bp, severity, confidence\n"
            "FROM v_cascades WHERE $__timeFilter(onset) AND scope = ${scope:singlequote}\n"
            "ORDER BY onset DESC LIMIT 200",
        ),
        "Windows, newest first; one that is not final may still grow.",
        empty="no cascade in this range",
        width=24,
    ),
    Panel(
        "Imbalance of forced flow",
        "timeseries",
        (
            "SELECT at AS time, toString(window_s) AS window_seconds, lsi_adjusted\n"
            "FROM v_imbalance WHERE $__timeFilter(at) AND scope = ${scope:singlequote}\n"
            "    AND venue IS NULL ORDER BY time",
        ),
        "Shrunk log-odds of longs against shorts, by window: above 0 longs are closed.",
        empty="no reading in this range",
    ),
    Panel(
        "Open interest",
        "timeseries",
        (
            "SELECT at AS time, max(oi_usd) AS open_interest FROM v_positioning\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote} AND venue IS NULL\n"
            "GROUP BY time ORDER BY time",
        ),
        "Dollars of open contracts over all venues that tell it.",
        unit=_USD,
        empty="no venue tells it",
    ),
    Panel(
        "Funding",
        "timeseries",
        (
            "SELECT at AS time, annualised FROM v_funding\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote} ORDER BY time",
        ),
        "Weighted mean over venues, a year.",
        unit="percentunit",
        empty="no venue tells it",
    ),
    Panel(
        "Liquidity",
        "timeseries",
        (
            "SELECT at AS time, z, spread_bp FROM v_liquidity\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote} AND venue IS NULL\n"
            "ORDER BY time",
        ),
        "Mean z of depth and spread (below 0: thinner than usual), and the spread in basis points.",
        empty="no book of this asset",
    ),
    Panel(
        "Derivatives against spot",
        "timeseries",
        (
            "SELECT at AS time, toString(window_s) AS window_seconds, share FROM v_dominance\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote} ORDER BY time",
        ),
        "Share of derivatives in traded dollars, by window.",
        unit="percentunit",
        empty="no spot venue is read",
    ),
    Panel(
        "Volatility",
        "timeseries",
        (
            "SELECT at AS time, toString(window_s) AS window_seconds, annualised\n"
            "FROM v_volatility\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote} ORDER BY time",
        ),
        "Realised, a year, by window.",
        unit="percentunit",
        empty="no reading in this range",
    ),
    Panel(
        "Alerts",
        "table",
        (
            "SELECT at, severity, kind, side, venue, text FROM v_alerts\n"
            "WHERE $__timeFilter(at) AND scope = ${scope:singlequote}\n"
            "ORDER BY at DESC, id LIMIT 200",
        ),
        "Each fact once, newest first.",
        empty="no alert in this range",
        width=14,
    ),
    Panel(
        "Feeds",
        "table",
        (
            "SELECT venue, channel, connection, state, reason, at_us FROM v_feed_status\n"
            "ORDER BY at_us DESC LIMIT 1 BY venue, channel, connection",
        ),
        "The last word on every feed; `down` takes no part in event time.",
        empty="no feed has told of itself",
        width=10,
    ),
)
