"""Logs: JSON lines on standard error, without personal data (design section 7).

What the gateway logs itself are names of its own: databases, records, codes, ids of requests. An
exception's text may quote a value, a row or a statement, so of an exception only its kind and where
it was raised are written. Whatever else reads like a person's number is masked, wherever it comes
from; the logs of libraries pass through the same processors.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gateway.telemetry.redaction import redact

#: Characters of the shortest number that ``redact`` finds. Most texts of a log are shorter.
_SHORTEST_NUMBER = 9
#: Log each request that the gateway makes at level INFO, with its URL, which may name a person.
_HTTP_CLIENTS = ("httpx2", "httpcore2")


def configure(level: str = "INFO") -> None:
    """Write the gateway's logs and those of libraries in one form, from ``level`` on.

    Of HTTP clients, only warnings and what is worse are written.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_values,
        masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *shared,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _HTTP_CLIENTS:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(True)


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put in place of an exception its kind and where it was raised, and of what caused it."""
    raised = _raised(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if raised is not None:
        event["exception"] = [line for one in _chain(raised) for line in _told(one)]
    return event


def masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what reads like a person's number, in every text of the event."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, str):
        return redact(value) if len(value) >= _SHORTEST_NUMBER else value
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    if isinstance(value, dict):
        return {_masked(name): _masked(one) for name, one in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"<{type(value).__name__}>"  # its text could be anything


def _raised(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(given) == 3:
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _chain(error: BaseException) -> list[BaseException]:
    """Return ``error`` and what led to it, at most eight of them."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found and len(found) < 8:
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _told(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return [kind, *(f"  {one.filename}:{one.lineno} {one.name}" for one in frames)]


@contextmanager
def on_standard_error() -> Iterator[None]:
    """Send logs to standard error within the block: standard output is for what a command says."""
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(**before)
