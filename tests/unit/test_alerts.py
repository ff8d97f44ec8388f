"""Alerts of a cascade's life, milestones, lost feeds and unexplained volatility: told once each."""

from typing import Any

import pytest

from streams.core.detectors.alerts.detector import Alerts
from streams.core.detectors.alerts.params import AlertParams
from streams.core.detectors.moment import Moment
from streams.core.detectors.readings import Early, Readings
from streams.core.events import MICROS
from streams.core.frames import MacroValue
from streams.core.results import Alert, Gate, Liquidity, Milestone, Result, Volatility
from tests.seconds import START
from tests.signal_rows import META, minute, readings, row, valid, window

PARAMS = AlertParams()


def made(scope: str = "BTC") -> Alerts:
    return Alerts(scope, PARAMS, META)


def restarted(one: Alerts) -> Alerts:
    again = made(one.origin.scope)
    again.restore({part.name: part.encode() for part in one.parts()})
    return again


def moment(at: int, **fields: Any) -> Moment:
    fields = {"coverage": 1.0, "venues_up": ("bybit",), "venues_all": ("bybit",), **fields}
    return Moment(fields.pop("scope", "BTC"), START + at, **fields)


def alerts(rows: Any) -> list[Alert]:
    return [one for one in valid(list(rows)) if isinstance(one, Alert)]


def publish(one: Alerts, board: Readings, *rows: Result) -> list[Alert]:
    """Show the alerts rows of cascades or prints, as the pipeline does."""
    return alerts(one.results(board.note(list(rows)), board))


# The life of a cascade


def early(onset: int = 0, level: float = 0.55) -> Readings:
    return Readings(early=(Early("long", START + onset, level),))


def test_a_watch_is_told_once_for_one_excursion() -> None:
    one = made()
    (watch,) = alerts(one.second(moment(12), early()))
    assert (watch.kind, watch.side, watch.severity) == ("cascade_watch", "long", "info")
    assert watch.score == 0.55
    assert watch.cooldown_until == (START + 12 + 600) * MICROS
    assert watch.text.startswith("BTC: forced closing of longs is far above its ordinary rate")
    assert alerts(one.second(moment(13), early(level=0.9))) == []
    assert alerts(restarted(one).second(moment(2000), early())) == []


def test_a_new_excursion_is_told_after_the_cooldown() -> None:
    one = made()
    one.second(moment(12), early())
    assert alerts(one.second(moment(300), early(280))) == []
    (later,) = alerts(one.second(moment(612), early(280)))
    assert later.facts["onset"] == START + 280


def test_the_watch_of_the_market_counts_the_assets() -> None:
    onsets = (("BTC", "long", START), ("ETH", "long", START), ("SOL", "short", START))
    (watch,) = alerts(made("ALL").second(moment(12, scope="ALL", onsets=onsets), early()))
    assert watch.facts["assets_active"] == 2.0
    assert "in 2 assets" in watch.text


def test_watch_alert_updates_and_end_are_one_story() -> None:
    one, board = made(), Readings()
    (watch,) = alerts(one.second(moment(5), early()))
    assert publish(one, board, window(10)) == []  # a burst is not told
    (told,) = publish(one, board, window(30, window_class="cascade", impact_bp=-120.0))
    assert (told.kind, told.severity, told.evidence) == ("cascade_alert", "warning", ("window",))
    assert told.text == "BTC: cascade of longs: $1M closed by force in 30 s, price -120 bp."
    assert told.facts["usd_observed"] == 1e6 and "usd_estimated" not in told.facts
    (grown,) = publish(one, board, window(95, window_class="cascade", usd_observed=2 * 10**12))
    assert (grown.kind, "grown 2.0x" in grown.text) == ("cascade_update", True)
    closed = {"phase": "end", "end": (START + 100) * MICROS, "closed_at": (START + 400) * MICROS}
    (end,) = publish(
        one, board, window(400, window_class="cascade", usd_observed=2 * 10**12, **closed)
    )
    assert end.kind == "cascade_end" and "in 100 s" in end.text
    assert {watch.group, told.group, grown.group, end.group} == {watch.group}
    assert len({watch.id, told.id, grown.id, end.id}) == 4


def test_a_cascade_that_flared_in_a_burst_goes_on_with_the_burst_s_story() -> None:
    one, board = made(), Readings()
    (watch,) = alerts(one.second(moment(5), early()))
    publish(one, board, window(10))
    stopped = {"phase": "end", "end": (START + 600) * MICROS, "closed_at": (START + 660) * MICROS}
    assert publish(one, board, window(660, **stopped)) == []
    flare = {"id": "flare", "onset": (START + 601) * MICROS, "parent_id": "window"}
    flare["detected_at"] = (START + 660) * MICROS
    (told,) = publish(one, board, window(660, window_class="cascade", **flare))
    assert told.group == watch.group
    assert told.evidence == ("flare", "window")
    assert "aftershock" not in told.text
    later = {**flare, "id": "later", "detected_at": (START + 700) * MICROS}
    (other,) = publish(one, board, window(700, window_class="cascade", **later))
    assert other.group == "later" and "aftershock" in other.text


def test_a_worse_severity_is_an_update_and_critical() -> None:
    one, board = made(), Readings()
    publish(one, board, window(30, window_class="cascade", severity="moderate", oi_share=0.003))
    (worse,) = publish(
        one, board, window(95, window_class="cascade", severity="major", oi_share=0.006)
    )
    assert (worse.kind, worse.severity) == ("cascade_update", "critical")
    assert "now major" in worse.text and "0.60% of open interest" in worse.text
    again = window(300, window_class="cascade", severity="major", oi_share=0.007)
    assert publish(one, board, again) == []


def test_updates_wait_a_minute_and_are_bounded() -> None:
    one, board = made(), Readings()
    publish(one, board, window(30, window_class="cascade"))
    usd = 10**12
    assert publish(one, board, window(60, window_class="cascade", usd_observed=2 * usd)) == []
    (told,) = publish(one, board, window(90, window_class="cascade", usd_observed=2 * usd))
    assert "grown 2.0x" in told.text
    count = 1
    for step in range(2, 30):
        bigger = window(60 * step + 60, window_class="cascade", usd_observed=usd * 2**step)
        count += len(publish(one, board, bigger))
    assert count == PARAMS.update_most


def test_a_window_that_never_qualifies_is_not_told() -> None:
    one, board = made(), Readings()
    ended = {"phase": "end", "end": START * MICROS, "closed_at": (START + 300) * MICROS}
    assert publish(one, board, window(10)) == []
    assert publish(one, board, window(300, **ended)) == []
    assert publish(one, board, window(900, is_final=True, **ended)) == []
    assert one.live.stories.windows == {}


def test_late_dollars_after_the_end_are_not_told() -> None:
    one, board = made(), Readings()
    ended = {"phase": "end", "end": START * MICROS, "closed_at": (START + 300) * MICROS}
    publish(one, board, window(30, window_class="cascade"))
    assert len(publish(one, board, window(300, window_class="cascade", **ended))) == 1
    late = window(400, window_class="cascade", usd_observed=10**14, **ended)
    assert publish(restarted(one), board, late) == []


def test_the_other_side_of_an_alerted_window_is_not_watched() -> None:
    one, board = made(), Readings()
    publish(one, board, window(30, window_class="cascade", side="mixed"))
    board.early = (Early("short", START + 20, 0.6),)
    assert alerts(one.second(moment(40), board)) == []


def test_a_window_opened_at_once_is_watched_in_its_own_story() -> None:
    one, board = made(), Readings()
    publish(one, board, window(10))
    board.early = (Early("long", START, 1.0),)
    (watch,) = alerts(one.second(moment(10), board))
    assert watch.group == "window"
    assert alerts(one.second(moment(700), board)) == []


def test_unknown_gates_are_named_in_the_alert() -> None:
    gates = {"size": Gate("pass", 1.0, 1.0), "displacement": Gate("unknown", None, 40.0)}
    (told,) = publish(made(), Readings(), window(30, window_class="cascade", gates=gates))
    assert told.unknown == {"gate_displacement": "input_missing"}


# Milestones


def milestone(usd: int, basis: str = "observed", at: int = 0, **fields: Any) -> Milestone:
    values = {
        "id": f"{basis}-{usd}-{at}",
        "revision": 1,
        "is_final": True,
        "definition": "milestone/1",
        "params_hash": "test",
        "engine": "test",
        "scope": "ALL",
        "partition": 0,
        "coverage": 1.0,
        "watermark": (START + at) * MICROS,
        "basis": basis,
        "threshold_usd": usd * 10**12,
        "crossed_at": (START + at) * MICROS,
        "usd_observed": usd * 10**12,
        "usd_estimated": None,
        "since_previous_s": None,
        "percentile_365d": None,
        "max_hour_share": 0.5,
        "probability": None,
        "text": f"${usd}M liquidated in 24 h",
        "null_reasons": {"percentile_365d": "history_below_30_days"},
    }
    return Milestone(**{**values, **fields})


def test_only_the_largest_sum_of_a_second_is_told() -> None:
    one = made("ALL")
    (told,) = alerts(one.results([milestone(100), milestone(250), milestone(400)], Readings()))
    assert told.text == "$400M liquidated in 24 h."
    assert told.evidence == ("observed-400-0",)
    assert told.unknown == {"percentile_365d": "history_below_30_days"}


def test_estimated_and_observed_crossings_of_one_rise_are_one_group() -> None:
    one = made("ALL")
    (first,) = alerts(one.results([milestone(400, "estimated")], Readings()))
    again = restarted(one)
    (second,) = alerts(again.results([milestone(400, "observed", 50)], Readings()))
    assert first.group == second.group and first.id != second.id
    (next_rise,) = alerts(again.results([milestone(400, "observed", 90_000)], Readings()))
    assert next_rise.group != first.group


@pytest.mark.parametrize(
    ("rank", "severity"), [(0.5, "info"), (0.93, "warning"), (0.995, "critical")]
)
def test_the_severity_of_a_milestone_is_the_rank_of_its_day(rank: float, severity: str) -> None:
    row = milestone(400, percentile_365d=rank, null_reasons={})
    (told,) = alerts(made("ALL").results([row], Readings()))
    assert (told.severity, told.score) == (severity, rank)


# Feeds

BOTH = ("bybit", "okx")


def health(one: Alerts, at: int, *up: str) -> list[Alert]:
    share = len(up) / 2
    return alerts(one.second(moment(at, coverage=share, venues_up=up, venues_all=BOTH), Readings()))


def test_a_venue_is_told_as_away_and_as_back_with_hysteresis() -> None:
    one = made()
    assert health(one, 0, *BOTH) == []
    assert health(one, 10, "bybit") == []
    assert health(one, 39, "bybit") == []
    (away,) = health(one, 40, "bybit")
    assert (away.kind, away.venue, away.severity) == ("feed_degraded", "okx", "critical")
    assert away.facts == {"away_s": 30.0, "coverage": 0.5}
    assert health(one, 50, "bybit") == []
    one = restarted(one)
    assert health(one, 100, *BOTH) == []
    assert health(one, 120, "bybit") == []  # a short return does not count
    assert health(one, 200, *BOTH) == []
    (back,) = health(one, 260, *BOTH)
    assert (back.severity, back.venue, back.group) == ("info", "okx", away.group)
    assert "after 3 min away" in back.text
    assert health(one, 400, *BOTH) == []


def test_a_short_gap_of_a_feed_is_not_told() -> None:
    one = made()
    for at, up in ((0, BOTH), (10, ("bybit",)), (30, BOTH), (90, BOTH), (200, BOTH)):
        assert health(one, at, *up) == []
    assert one.live.feeds.away == {}


def test_a_gap_in_silence_is_told_once_when_time_moves_on() -> None:
    one = made()
    health(one, 0, *BOTH)
    health(one, 10)
    (first, second) = health(one, 5000, *BOTH)
    assert {first.venue, second.venue} == set(BOTH)
    assert first.severity == "info" and "was away for 83 min from" in first.text
    assert health(one, 5060, *BOTH) == []


def test_a_lost_venue_is_not_told_again_by_every_asset() -> None:
    one = made("DOGE")
    health(one, 0, *BOTH)
    health(one, 10, "bybit")
    assert health(one, 100, "bybit") == []


def test_a_minute_without_seconds_tells_of_a_feed_too() -> None:
    one = made()
    health(one, 10, "bybit")
    rows = one.minute(minute(0, up=("bybit",), known=BOTH, coverage=0.5), Readings())
    assert [told.venue for told in alerts(rows)] == ["okx"]


# Unexplained volatility


def board(at: int, z: float | None, depth: float | None = 1.0, **shares: Any) -> Readings:
    reasons = {} if "macro" in shares else {"macro": "no_macro_series"}
    ratios = () if depth is None else (depth, depth, depth, None)
    return readings(
        row(Volatility, at, window_s=300, realised_z=z, null_reasons=reasons, **shares),
        row(Liquidity, at, depth_ratio=ratios),
    )


def look(one: Alerts, start: int, found: Readings) -> list[Alert]:
    return alerts(one.minute(minute(start), found))


@pytest.mark.parametrize(
    ("forced", "depth", "cause"),
    [
        (0.5, 1.0, "positioning"),
        (0.1, 0.4, "liquidity"),
        (0.1, 0.9, "unexplained"),
        (None, 0.9, None),
        (0.1, None, None),
    ],
)
def test_the_cause_is_what_the_inputs_allow(
    forced: float | None, depth: float | None, cause: str | None
) -> None:
    (told,) = look(made(), 0, board(60, 5.0, depth, macro=0.02, forced=forced))
    assert (told.kind, told.cause) == ("unexplained_volatility", cause)
    assert ("cause" in told.null_reasons) == (cause is None)


@pytest.mark.parametrize(
    ("z", "macro"), [(3.9, 0.02), (5.0, 0.10), (None, 0.02)], ids=["calm", "macro", "no z"]
)
def test_explained_or_ordinary_volatility_is_not_told(z: float | None, macro: float) -> None:
    assert look(made(), 0, board(60, z, macro=macro, forced=0.1)) == []


def test_missing_outside_markets_lower_the_score_and_are_named() -> None:
    (known,) = look(made(), 0, board(60, 8.0, macro=0.05, forced=0.1))
    (unknown,) = look(made(), 0, board(60, 8.0, forced=0.1))
    assert unknown.unknown == {"event": "no_event_series", "macro": "no_macro_series"}
    assert known.unknown == {"event": "no_event_series"}
    assert unknown.score < known.score


def test_volatility_is_told_once_an_episode() -> None:
    one = made()
    assert len(look(one, 0, board(60, 5.0, macro=0.0, forced=0.1))) == 1
    one = restarted(one)
    assert look(one, 3600, board(3660, 5.0, macro=0.0, forced=0.1)) == []
    assert look(one, 3660, board(3720, 1.0, macro=0.0, forced=0.1)) == []
    assert len(look(one, 3720, board(3780, 5.0, macro=0.0, forced=0.1))) == 1


@pytest.mark.parametrize(("event", "told"), [(60 + 900, 0), (60 - 900, 0), (60 + 901, 1)])
def test_volatility_near_a_scheduled_event_is_not_told(event: int, told: int) -> None:
    one = made()
    value = MacroValue("event:CPI", 1.0, (START + event) * MICROS)
    one.second(moment(-840, macro=(value,)), Readings())
    # The next release of the series must not hide the one just past.
    later = MacroValue("event:CPI", 1.0, (START + 30 * 86400) * MICROS)
    one.second(moment(30, macro=(later,)), Readings())
    assert len(look(restarted(one), 0, board(60, 5.0, macro=0.0, forced=0.1))) == told


def test_a_reading_of_another_minute_is_not_told_as_of_this_one() -> None:
    assert look(made(), 60, board(60, 5.0, macro=0.0, forced=0.1)) == []


def test_live_state_stays_small() -> None:
    one, scope = made(), Readings()
    for n in range(500):
        stamp = (START + 3600 * n) * MICROS
        one.second(moment(n, macro=(MacroValue(f"event:{n}", 1.0, stamp),)), scope)
    assert len(one.live.calendar.times) == PARAMS.events_most
    live = {part.name: part.encode() for part in one.parts()}["live"]
    assert len(live) < 2_000
