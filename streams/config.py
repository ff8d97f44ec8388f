"""Settings from the environment, read once at the edges; the core never sees them.

`MARGINQUAKE_KAFKA` (bootstrap servers), `CLICKHOUSE_DSN` (may hold a password: never printed),
`MARGINQUAKE_HOME` (folder for broker data, warehouse and logs).
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


class MarginquakeError(Exception):
    """A failure that a user can mend; its text names the input and the mend."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are. `clickhouse_dsn` is kept out of repr, since it may hold a password."""

    kafka: str = "127.0.0.1:19092"
    home: Path = Path(".local")
    clickhouse_dsn: str = field(default="", repr=False)

    @property
    def warehouse_label(self) -> str:
        """The DSN without user and password, fit for logs."""
        parts = urlsplit(self.clickhouse_dsn)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit((parts.scheme, host + port, parts.path, "", ""))


def settings() -> Settings:
    """Settings of this process, from the environment with loopback and local defaults."""
    home = Path(os.environ.get("MARGINQUAKE_HOME", ".local")).resolve()
    return Settings(
        kafka=os.environ.get("MARGINQUAKE_KAFKA", "127.0.0.1:19092"),
        home=home,
        clickhouse_dsn=os.environ.get("CLICKHOUSE_DSN", f"chdb://{home / 'warehouse'}"),
    )
