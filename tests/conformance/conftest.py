"""Collectors that hurry."""

import pytest

from streams.collect import line, session
from tests.conformance.collecting import BEAT_S


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BEAT_S", BEAT_S)
    monkeypatch.setattr(session, "CLOSE_S", 0.2)
    monkeypatch.setattr(line, "FIRST_PAUSE_S", 0.05)
