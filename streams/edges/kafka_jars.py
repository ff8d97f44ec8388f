"""What the local broker runs on: a Java, and Kafka's jars resolved by Maven.

Beside the data path, used by `broker` and `doctor`. Promises: each thing that is missing is one
MarginquakeError that names what to install, and a jar folder is complete or absent. Does not
install Java or Maven, and downloads nothing but what `infra/kafka/pom.xml` names.
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
COPY: Final = ("dependency:copy-dependencies", "-DincludeScope=runtime")


def java_command() -> str:
    """Path of a Java of version 17 or newer, from JAVA_HOME or PATH.

    Raises:
        MarginquakeError: there is none; names what to install.
    """
    mend = "install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or shutil.which(java) is None:
        raise MarginquakeError(
            f"the Kafka broker needs Java, and {java or 'java'} is not here: {mend}"
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        found = version[1] if version else said.strip()[:80] or "unknown"
        raise MarginquakeError(f"the Kafka broker needs Java 17, and {java} is {found}: {mend}")
    return java


def maven_command() -> str:
    """Path of Maven; raises MarginquakeError naming what to install when there is none."""
    maven = shutil.which("mvn")
    if maven is None:
        raise MarginquakeError(
            "resolving Kafka's jars needs Maven, and mvn is not here: "
            "install it (Debian: apt-get install maven)"
        )
    return maven


def kafka_pom() -> Path:
    """The pom of the broker's jars: beside this module in a wheel, in `infra/` in a checkout."""
    packed = Path(__file__).with_name("kafka-pom.xml")
    return packed if packed.exists() else Path(__file__).parents[2] / "infra/kafka/pom.xml"


def resolve_jars(folder: Path, pom: Path | None = None) -> Path:
    """Folder with Kafka's jars (46 files, 44 MB), resolved by Maven on first use.

    The folder's name holds a digest of the pom, so a new version never mixes with an old one,
    and appears only when complete.

    Raises:
        MarginquakeError: Maven is missing or could not resolve; with its first error line.
    """
    pom = pom or kafka_pom()
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
        if done.returncode or not any(Path(part).glob("jars/kafka_*.jar")):
            lines = (done.stdout + done.stderr).splitlines()
            first = next((line for line in lines if "ERROR" in line), "no reason given")
            raise MarginquakeError(
                f"Maven could not resolve Kafka's jars from {pom}: {first.strip()[:400]}; "
                "check the network and ~/.m2/settings.xml, then try again"
            )
        try:
            Path(part, "jars").rename(target)
        except OSError:
            if not target.is_dir():  # another process may have finished the same folder first
                raise
    return target
