"""The report on paper: Chromium prints the page that `page` wrote.

After `page`. Promises one clear error when there is no Chromium or it fails, and that no request
leaves this machine. Chromium and not a second renderer, so that paper and screen show one layout.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from streams.config import MarginquakeError

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S: Final = 120


def print_pdf(page: Path, target: Path) -> None:
    """Print an HTML file.

    Args:
        page: the file.
        target: the PDF; replaced when it exists.

    Raises:
        MarginquakeError: no Chromium is here, or it could not print.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise MarginquakeError(
            "--pdf needs Chromium, and none is here (Debian: apt-get install chromium); "
            f"{page} can be printed from any browser"
        )
    with tempfile.TemporaryDirectory(prefix="marginquake-print-") as profile:
        made = Path(profile, "report.pdf")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            # Chromium asks its maker for updates, accounts and the time whatever it is told: a name
            # that is not looked up, and no proxy that would, keep that on this machine.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-proxy-server",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={made}",
            page.resolve().as_uri(),
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium's sandbox refuses to run as root
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
            )
        except subprocess.TimeoutExpired:
            raise MarginquakeError(
                f"{browser} did not print {page} within {PATIENCE_S} s; print it from a browser"
            ) from None
        if not made.exists():
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise MarginquakeError(f"{browser} could not print {page}: {lines[-1][:300]}")
        try:
            shutil.move(made, target)
        except OSError as error:
            raise MarginquakeError(
                f"cannot write {target}: {error.strerror}; give -o another path"
            ) from None
