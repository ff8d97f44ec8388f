"""The report as one HTML page that needs nothing beside it.

After `gather` and `plots`. Promises that every figure stands in a `data` element with its exact
value, that text is escaped, and that an estimate that is only a floor says so. Loads nothing: the
page's own policy forbids it.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from streams.config import MarginquakeError
from streams.facts.reading import EPOCH
from streams.report.gather import Story
from streams.report.plots import plots

_FLOORS: Final = ("saturated", "unknown")
_UNKNOWN: Final = "not known"


def render(story: Story) -> str:
    """The page.

    Raises:
        MarginquakeError: the extra `report` is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise MarginquakeError("a report needs jinja2: pip install 'marginquake[report]'") from None
    pages = Environment(
        loader=PackageLoader("streams.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def datum(value: object, text: str) -> Markup:
        return Markup('<data value="{}">{}</data>').format(value, text)

    def usd(value: Decimal | None, identifiability: str = "ok") -> Markup | str:
        if value is None:
            return _UNKNOWN
        floor = "≥ " if identifiability in _FLOORS else ""
        return datum(value, f"{floor}{dollars(value)}")

    def number(value: float | None, digits: int = 2) -> Markup | str:
        return _UNKNOWN if value is None else datum(value, f"{value:,.{digits}f}")

    def share(value: float | None, digits: int = 0) -> Markup | str:
        return _UNKNOWN if value is None else datum(value, f"{value:.{digits}%}")

    pages.filters.update(
        usd=usd, number=number, share=share, stamp=stamp, words=words, lasting=length
    )
    drawn = {name: Markup(svg) for name, svg in plots(story).items()}  # noqa: S704  of matplotlib
    return pages.get_template("report.html.j2").render(
        story=story, plots=drawn, version=_version(), summary=summary(story)
    )


def summary(story: Story) -> str:
    """What happened, in a sentence or two of plain text.

    Names published dollars first, then the estimate with what it is worth, then the bound.
    """
    scope = "The market" if story.span.market else story.span.scope
    main = story.main
    if main is None:
        if not story.orders:
            return f"{scope}: no forced order was published in this range, and no window opened."
        return (
            f"{scope}: no window opened in this range. Feeds published {story.orders:,} forced "
            f"orders of {dollars(story.long_usd + story.short_usd)}."
        )
    sides = {"long": "longs", "short": "shorts", "mixed": "longs and shorts"}
    lasted = "still open" if main.end is None else f"over {length((main.end - main.onset) / 1e6)}"
    words_ = [
        f"{scope}: a {main.window_class} from {stamp(main.onset)} UTC, {lasted}: feeds published "
        f"{main.events:,} forced orders that closed {dollars(main.usd_observed)} of "
        f"{sides[main.side]}."
    ]
    if main.usd_estimated is None:
        words_.append("What sampled feeds left out is not known.")
    elif main.identifiability in _FLOORS:
        words_.append(
            f"With what sampled feeds left out it is {dollars(main.usd_estimated)} at least."
        )
    else:
        words_.append(f"The estimate of all of it is {dollars(main.usd_estimated)}.")
    if main.impact_bp is None:
        words_.append("How far price moved is not known.")
    else:
        words_.append(f"Price moved {main.impact_bp:+.0f} basis points to its extreme.")
    return " ".join(words_)


def dollars(value: Decimal) -> str:
    """A dollar figure of four digits or so.

    >>> dollars(Decimal("53742408.978467")), dollars(Decimal("812.5"))
    ('$53.74M', '$812.50')
    """
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if abs(value) >= size:
            return f"${value / size:,.2f}{letter}"
    return f"${value:,.2f}"


def stamp(at: int | None) -> str:
    """A time in UTC to the second.

    >>> stamp(1793622554000000), stamp(None)
    ('2026-11-02 12:29:14', 'not known')
    """
    return _UNKNOWN if at is None else f"{_moment(at):%Y-%m-%d %H:%M:%S}"


def length(seconds: float) -> str:
    """A duration.

    >>> length(665), length(6), length(7200), length(3700)
    ('11 min 5 s', '6 s', '2 h', '1 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    large, small = (
        (whole // 60, whole % 60) if whole < 3600 else (whole // 3600, whole % 3600 // 60)
    )
    names = ("min", "s") if whole < 3600 else ("h", "min")
    return f"{large} {names[0]}" + (f" {small} {names[1]}" if small else "")


def words(name: Any) -> str:
    """A name of the contracts as words; what is null is not known."""
    return _UNKNOWN if name is None else str(name).replace("_", " ")


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def _version() -> str:
    try:
        return version("marginquake")
    except PackageNotFoundError:
        return "checkout"
