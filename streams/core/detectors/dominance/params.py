"""Parameters of derivatives dominance; see `dominance`. The bounds are priors."""

import msgspec


class DominanceParams(msgspec.Struct, frozen=True):
    """Dollars are micro-dollars; shares and ratios are plain numbers."""

    definition: str = "dominance/1"
    """Name and version of the definition."""

    basket: str = "binance+bybit+okx/2026-11-22"
    """Name of the basket, with the date from which its members stand."""
    members: tuple[str, ...] = (
        "binance-coinm/derivative",
        "binance-spot/spot",
        "binance-usdm/derivative",
        "bybit-spot/spot",
        "bybit/derivative",
        "okx/derivative",
        "okx/spot",
    )
    """Its members, venue and market: those whose trades this program reads on both sides."""

    spot_led: float = 2.0
    """Ratio of derivatives to spot below which spot leads."""
    derivatives_led: float = 4.0
    """Ratio above which derivatives lead, if they move first too (2 to 4 is ordinary)."""
    lead_least: float = 0.6
    """Lead share above which derivatives move first."""

    least_observed: float = 0.6
    """Share of a window's minutes that must have been observed."""
    member_hours: float = 0.6
    """Share of a window's observed hours in which a member must have traded to be heard."""
    silent_minutes: int = 10
    """A member that trades in that share of the minutes around them, and in none of so many, is
    not heard in the hour."""
    member_weight: float = 0.1
    """A silent member of at least this share of its market's dollars leaves the share unknown."""

    lags: int = 3
    """Lags of the lead, s, each way."""
    least_pairs: int = 20
    """Pairs of returns that a minute needs at each lag."""
    lead_sigmas: float = 3.0
    """Standard deviations of noise that the lead or the lag must exceed."""

    trend_least: float = 2 / 3
    """Share of a trend's days that must be known, with the same members heard."""
    cap_series: str = "market_cap"
    """Outside series of an asset's market capitalisation, USD."""
    total_cap_series: str = "total_market_cap"
    """That of the whole market, for scope ALL, USD."""
    series_stands_s: int = 3 * 86_400
    """An outside value older than this is not known any more, s."""
