"""Options that several commands share, written once."""

from typing import Annotated

import typer

Kafka = Annotated[
    str | None, typer.Option(help="Bootstrap servers.", show_default="MARGINQUAKE_KAFKA")
]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Serve /metrics and /healthz.", show_default="off"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
