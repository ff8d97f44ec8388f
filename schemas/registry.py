"""Every schema by name: its model, its struct on the hot path, and where its examples lie.

Names are those in the `schema` column of `topics.yaml`, plus the members of unions and the
canonical events that travel inside frames. Promises that a name here has a generated file and
examples; a test holds that. Reads no topic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field, TypeAdapter

from schemas import (
    alerts,
    cascades,
    dominance,
    events,
    frames,
    health,
    imbalance,
    liquidity,
    operations,
    positioning,
    prints,
    raw,
    regimes,
    results,
    volatility,
    zones,
)
from schemas.units import Row
from streams.core import events as core_events
from streams.core import frames as core_frames
from streams.core import results as core_results


@dataclass(frozen=True)
class Schema:
    """One message schema.

    `members`: names of the schemas it is a union of, told apart by `type`; empty for a plain
    one, which then has a `model`. `struct` is its twin in streams.core, None where the value is
    not decoded by the core.
    """

    name: str
    title: str
    model: type[Row] | None = None
    struct: type[msgspec.Struct] | None = None
    members: tuple[str, ...] = ()

    def models(self) -> tuple[type[Row], ...]:
        """The model, or those of the members."""
        if self.model is not None:
            return (self.model,)
        return tuple(model for name in self.members for model in SCHEMAS[name].models())

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Validates values of the schema; strict, so JSON must have the right types."""
        if self.model is not None:
            return TypeAdapter(self.model)
        union: Any = None
        for model in self.models():
            union = model if union is None else union | model
        return TypeAdapter(Annotated[union, Field(discriminator="type")])


def _schemas(*schemas: Schema) -> Mapping[str, Schema]:
    return {schema.name: schema for schema in schemas}


SCHEMAS: Final = _schemas(
    Schema("raw", "Raw record of a venue", raw.RawRecord),
    Schema("status", "Status of a connection", events.Status, core_events.Status),
    Schema("macro", "Value of an outside series", events.Macro, core_events.Macro),
    Schema("liquidation", "Forced order", events.Liquidation, core_events.Liquidation),
    Schema("trade", "Public trade", events.Trade, core_events.Trade),
    Schema("ticker", "Partial ticker", events.Ticker, core_events.Ticker),
    Schema("book", "Top of an order book", events.Book, core_events.Book),
    Schema("frame", "Second of an asset", frames.Frame, core_frames.Frame),
    Schema("tick", "Second of a partition", frames.Tick, core_frames.Tick),
    Schema(
        "contribution",
        "Asset's part of a market second",
        results.Contribution,
        core_results.Contribution,
    ),
    Schema("market_input", "Input of the market stage", members=("tick", "contribution")),
    Schema("late", "Late forced order", events.LateLiquidation, core_events.LateLiquidation),
    Schema("dead_letter", "Unusable record", operations.DeadLetter, core_events.DeadLetter),
    Schema("feed_status", "Change of a feed", operations.FeedStatus, core_events.FeedStatus),
    Schema("framer_state", "Framer checkpoint", operations.FramerState),
    Schema("detector_state", "Detector state record", operations.DetectorStateRecord),
    Schema("cascade", "Cascade window", cascades.CascadeWindow, core_results.CascadeWindow),
    Schema("print", "Liquidation print", prints.Print, core_results.Print),
    Schema("print_total", "Total by Flink SQL", prints.PrintTotal),
    Schema("milestone", "Milestone crossing", prints.Milestone, core_results.Milestone),
    Schema("print_or_milestone", "Print or milestone", members=("print", "milestone")),
    Schema("regime", "Leverage regime", regimes.Regime, core_results.Regime),
    Schema(
        "regime_transition",
        "Change of leverage regime",
        regimes.RegimeTransition,
        core_results.RegimeTransition,
    ),
    Schema(
        "regime_resolution",
        "Resolution of a liquidation phase",
        regimes.RegimeResolution,
        core_results.RegimeResolution,
    ),
    Schema(
        "regime_row",
        "Regime, transition or resolution",
        members=("regime", "regime_transition", "regime_resolution"),
    ),
    Schema("imbalance", "Long/short imbalance", imbalance.Imbalance, core_results.Imbalance),
    Schema("liquidity", "Liquidity regime", liquidity.Liquidity, core_results.Liquidity),
    Schema("conditions", "Liquidity conditions", liquidity.Conditions, core_results.Conditions),
    Schema("positioning", "Positioning", positioning.Positioning, core_results.Positioning),
    Schema("funding", "Funding by venue", positioning.Funding, core_results.Funding),
    Schema("dominance", "Derivatives dominance", dominance.Dominance, core_results.Dominance),
    Schema(
        "volatility", "Volatility and its drivers", volatility.Volatility, core_results.Volatility
    ),
    Schema(
        "signal",
        "Signal of a minute",
        members=(
            "imbalance",
            "liquidity",
            "conditions",
            "positioning",
            "funding",
            "dominance",
            "volatility",
        ),
    ),
    Schema("zones", "Liquidation map", zones.ZoneMap, core_results.ZoneMap),
    Schema("health", "Market health", health.Health, core_results.Health),
    Schema("alert", "Alert", alerts.Alert, core_results.Alert),
)
