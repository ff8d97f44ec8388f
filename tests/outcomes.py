"""What tests of venue files ask of a parser's outcomes, and how they write a message."""

import json
from typing import TypeVar

from streams.core.events import Ignored, Outcome, Rejected

Kind = TypeVar("Kind")


def encoded(message: object) -> bytes:
    """A message as JSON; bytes as they are."""
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def sole(kind: type[Kind], outcomes: list[Outcome]) -> Kind:
    """The one outcome, which is of the kind."""
    (outcome,) = outcomes
    assert isinstance(outcome, kind), outcome
    return outcome


def all_of(kind: type[Kind], outcomes: list[Outcome]) -> list[Kind]:
    """The outcomes, which are all of the kind."""
    found: list[Kind] = [outcome for outcome in outcomes if isinstance(outcome, kind)]
    assert len(found) == len(outcomes), outcomes
    return found


def reasons(outcomes: list[Outcome]) -> list[str]:
    """Why each row is no event, or `event`."""
    return [one.reason if isinstance(one, Rejected | Ignored) else "event" for one in outcomes]


def kinds(outcomes: list[Outcome]) -> list[str]:
    """Why each row is no event, or what event it is."""
    return [
        one.reason if isinstance(one, Rejected | Ignored) else type(one).__name__
        for one in outcomes
    ]
