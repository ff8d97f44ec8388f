"""Good messages of venues, a file a venue family, for the tests that spoil them."""

from typing import Any

Needed = tuple[Any, dict[str, Any], list[str]]
"""A message of forced orders or trades, their row, and the fields that it cannot do without."""
