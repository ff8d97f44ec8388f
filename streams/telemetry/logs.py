"""Structured logs without secrets and without record values.

Promises: one JSON object a line on stderr when it is not a terminal, stdlib loggers (aiokafka,
Faust) in the same form; passwords, tokens, DSNs, bytes and record values never reach a line,
long text is cut, and the Kafka client says each thing once a second. Does not promise to recognise
a secret inside free prose other than a URL.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_KEY: Final = re.compile(r"passw|secret|token|dsn|credential|api_?key|authorization", re.I)
RECORD_KEYS: Final = frozenset({"value", "payload", "record", "message_value"})
DSN_SECRET: Final = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):\S*@", re.I)
PARAMETER_SECRET: Final = re.compile(r"\b([a-z_]*(?:password|secret|token)=)[^\s&,;\"']+", re.I)
MAX_TEXT: Final = 2_000


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: hide secrets, record values and bytes, and cut long text.

    Keys that sound like a secret lose their value; a password inside any URL becomes `***`.
    """
    return {key: _safe(key, value) for key, value in event.items()}


def _safe(key: str, value: object) -> object:
    if SECRET_KEY.search(key):
        return "***"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if key in RECORD_KEYS:
        return f"<{type(value).__name__} withheld>"
    if isinstance(value, Mapping):
        return {str(inner): _safe(str(inner), item) for inner, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_safe("", item) for item in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    text = PARAMETER_SECRET.sub(r"\1***", DSN_SECRET.sub(r"\1:***@", str(value)))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"


class _Seldom(logging.Filter):
    """Lets each line of the Kafka client through once a second.

    One that finds no broker tries again thousands of times a second: eleven minutes of it were
    560 MB.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not record.name.startswith("aiokafka"):
            return True
        key = record.name, str(record.msg)
        last = self._last.get(key)
        if last is not None and record.created - last < 1.0:
            return False
        self._last[key] = record.created
        return True


def configure_logging(process: str, level: int = logging.INFO) -> None:
    """Send structlog and stdlib logs to stderr: coloured on a terminal, else one JSON a line."""

    def name_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
    ]
    tty = sys.stderr.isatty()
    tail: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redact,
        structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Seldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tail)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO is a line per fetch, assignment and service: it would bury our own.
    for library in ("aiokafka", "faust", "mode"):
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
