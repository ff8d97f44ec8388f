"""What the local broker, the Flink job and the dashboard run on: a Java, and jars by Maven.

Beside the data path, used by `broker`, `doctor`, `dashboard` and the Flink engine. Promises: each
thing that is missing is one MarginquakeError that names what to install, and a jar folder is
complete or absent. Does not install Java or Maven, and downloads nothing but what the poms of
`infra/` name.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from streams.config import MarginquakeError

OLDEST_JAVA: Final = 17
ANSWERS_S: Final = 30.0
"""How long a Java may take to tell its version."""
NEEDED: Final = {
    "kafka": "kafka_*.jar",
    "flink": "flink-sql-connector-kafka-*.jar",
    "dashboard": "uplot-*.jar",
}
"""The jar that tells a resolved folder from an empty one."""
COPY: Final = ("dependency:copy-dependencies", "-DincludeScope=runtime")


def java_command(user: str = "the Kafka broker") -> str:
    """Path of a Java of version 17 or newer, from JAVA_HOME or PATH; `user` names who needs it.

    Raises:
        MarginquakeError: there is none; names what to install.
    """
    mend = "install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or shutil.which(java) is None:
        raise MarginquakeError(f"{user} needs Java, and {java or 'java'} is not here: {mend}")
    try:
        said = subprocess.run(  # noqa: S603
            [java, "-version"], capture_output=True, text=True, check=False, timeout=ANSWERS_S
        ).stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MarginquakeError(
            f"{user} needs Java, and {java} does not run ({error}): {mend}"
        ) from None
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        found = version[1] if version else said.strip()[:80] or "unknown"
        raise MarginquakeError(f"{user} needs Java 17, and {java} is {found}: {mend}")
    return java


def maven_command() -> str:
    """Path of Maven; raises MarginquakeError naming what to install when there is none."""
    maven = shutil.which("mvn")
    if maven is None:
        raise MarginquakeError(
            "resolving jars needs Maven, and mvn is not here: "
            "install it (Debian: apt-get install maven)"
        )
    return maven


def pom_of(system: str) -> Path:
    """The pom of a system's jars, a key of `NEEDED`: in `infra/` in a checkout, beside this module
    in a wheel.
    """
    packed = Path(__file__).with_name(f"{system}-pom.xml")
    return packed if packed.exists() else Path(__file__).parents[2] / f"infra/{system}/pom.xml"


def resolve_jars(folder: Path, system: str = "kafka", pom: Path | None = None) -> Path:
    """Folder with a system's jars, resolved by Maven on first use (Kafka: 46 files, 44 MB).

    The folder's name holds a digest of the pom, so a new version never mixes with an old one,
    and appears only when complete.

    Raises:
        MarginquakeError: Maven is missing or could not resolve; with its first error line.
    """
    pom = pom or pom_of(system)
    target = folder / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if target.is_dir():
        return target
    maven = maven_command()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="resolving-") as part:
        shutil.copyfile(pom, Path(part, "pom.xml"))
        done = subprocess.run(  # noqa: S603
            [maven, "-q", "-B", "-f", f"{part}/pom.xml", *COPY, f"-DoutputDirectory={part}/jars"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not any(Path(part).glob(f"jars/{NEEDED[system]}")):
            lines = (done.stdout + done.stderr).splitlines()
            first = next((line for line in lines if "ERROR" in line), "no reason given")
            raise MarginquakeError(
                f"Maven could not resolve the jars of {pom}: {first.strip()[:400]}; "
                "check the network and ~/.m2/settings.xml, then try again"
            )
        try:
            Path(part, "jars").rename(target)
        except OSError:
            if not target.is_dir():  # another process may have finished the same folder first
                raise
    return target


def flink_connector(home: Path) -> Path:
    """The connector jar of the Flink job under `home` (MARGINQUAKE_HOME), resolved on first use.

    Raises:
        MarginquakeError: as `resolve_jars`.
    """
    (jar,) = resolve_jars(home / "flink" / "lib", "flink").glob(NEEDED["flink"])
    return jar
