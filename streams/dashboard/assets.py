"""What the browser is given: the page of this package, and uPlot out of its jar.

Under `server`. Promises that every byte a browser asks for comes from this process, from a closed
list of names made at the start. uPlot (MIT) is resolved by Maven on first use, as Kafka's jars
are, and is not part of this repository.
"""

import zipfile
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Final

from streams.edges.kafka_jars import NEEDED, resolve_jars

_KINDS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_LIBRARY: Final = {"uPlot.esm.js": "uplot.js", "uPlot.min.css": "uplot.css"}
"""Files of the jar's `dist` folder, and the names they are served by."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file for the browser; `tag` changes with its content."""

    body: bytes
    kind: str
    tag: str


def load_assets(home: Path) -> dict[str, Asset]:
    """Every file by its name in URLs; the page itself is `index.html`.

    Raises:
        MarginquakeError: uPlot is not resolved yet, and Maven is missing or fails.
    """
    found = {
        entry.name: entry.read_bytes()
        for entry in files("streams.dashboard").joinpath("page").iterdir()
    }
    folder = resolve_jars(home / "dashboard" / "lib", "dashboard")
    (jar,) = folder.glob(NEEDED["dashboard"])
    with zipfile.ZipFile(jar) as library:
        for inside in library.namelist():
            name = _LIBRARY.get(inside.rpartition("/dist/")[2])
            if name is not None:
                found[name] = library.read(inside)
    return {
        name: Asset(body, _KINDS[Path(name).suffix], blake2b(body, digest_size=8).hexdigest())
        for name, body in found.items()
    }
