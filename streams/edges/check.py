"""What `marginquake doctor` says of one thing that it looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `found` when it is fine, `mend` when it is not."""

    name: str
    ok: bool
    needed_for: str
    found: str
    mend: str = ""
