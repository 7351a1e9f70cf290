"""Logs: JSON lines on standard error, without personal data (design section 7).

The gateway logs names of its own: databases, records, codes, ids of requests. The text of an
exception may quote a value, a row or a statement, so only the kind of an exception and where it was
raised are written. Anything else that reads like a person's number is masked. The logs of libraries
pass through the same processors.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from structlog.contextvars import STRUCTLOG_KEY_PREFIX
from structlog.typing import EventDict, Processor, WrappedLogger

from gateway.telemetry.redaction import redact

#: The id of the request that is being answered: every log event of its task has it.
REQUEST_ID: ContextVar[str] = ContextVar(f"{STRUCTLOG_KEY_PREFIX}request_id")
#: Characters of the shortest number that ``redact`` finds; most texts of a log are shorter.
_SHORTEST_NUMBER = 9
#: Libraries that log the URL of each request at level INFO; it may name a person.
_HTTP_CLIENTS = ("httpx2", "httpcore2")


def configure(level: str = "INFO") -> None:
    """Write the logs of the gateway and of libraries in one form, from ``level`` on.

    HTTP clients log from WARNING on.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        without_values,
        masked,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(_serialize)],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *shared,
            structlog.processors.JSONRenderer(_serialize),
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


def _serialize(event: EventDict, **options: Any) -> str:
    """Return an event as JSON. orjson takes a tenth of the time, and has no integers of 65 bits."""
    try:
        return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return json.dumps(event, **options)


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind and where it was raised, and those of its causes."""
    error = _exception_of(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is not None:
        event["exception"] = [line for cause in _chain(error) for line in _describe(cause)]
    return event


def masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what reads like a person's number, in every text of the event."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, str):
        return redact(value) if len(value) >= _SHORTEST_NUMBER else value
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {_masked(name): _masked(item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"<{type(value).__name__}>"  # its text could be anything


def _exception_of(exc_info: object) -> BaseException | None:
    """Return the exception of a log call's ``exc_info``: an exception, a triple, or a flag."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException) -> list[BaseException]:
    """Return ``error`` and its causes, eight at most."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain and len(chain) < 8:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


def _describe(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return [kind, *(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)]


@contextmanager
def on_standard_error() -> Iterator[None]:
    """Send logs to standard error within the block: standard output is for a command's result."""
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(**before)
