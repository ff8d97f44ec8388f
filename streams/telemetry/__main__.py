"""`python -m streams.telemetry FILE`: write the page of all metrics, as `make docs` does."""

import sys
from pathlib import Path

from streams.telemetry.metrics import metrics_page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(metrics_page(), encoding="utf-8")
