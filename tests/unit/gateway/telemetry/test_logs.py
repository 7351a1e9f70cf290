"""Logs: one JSON line per event, without personal data."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PERSON = "001090012345"
NAME = "Nguyễn Thị Hoa"
#: A process of its own: what is configured is that of the whole process.
_PROGRAM = """
import logging, structlog, warnings
from gateway.telemetry.logs import configure
configure()
log = structlog.get_logger("test")
PERSON, NAME = "{person}", "{name}"
{statements}
"""


def logged(statements: str) -> list[dict[str, Any]]:
    """Return the events that a process logs which runs ``statements``."""
    program = _PROGRAM.format(person=PERSON, name=NAME, statements=statements)
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout == ""
    assert PERSON not in result.stderr
    assert NAME not in result.stderr
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_an_event_is_one_line_with_level_and_time() -> None:
    (event,) = logged("log.warning('source timed out', database='population')")
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "source timed out", "level": "warning", "database": "population"}


def test_of_an_exception_only_its_kind_and_its_place_are_written() -> None:
    (event,) = logged(
        """
def read():
    try:
        raise KeyError(NAME)
    except KeyError as cause:
        raise ValueError(f"no row for {PERSON}, {NAME}") from cause
try:
    read()
except ValueError:
    log.exception("request failed")
"""
    )
    assert [line for line in event["exception"] if not line.startswith("  ")] == [
        "builtins.ValueError",
        "builtins.KeyError",
    ]
    assert any(line.endswith(" read") for line in event["exception"])


def test_an_exception_group_and_a_chain_that_bites_its_tail_end() -> None:
    (event,) = logged(
        """
first, second = ValueError(PERSON), ValueError(NAME)
first.__cause__, second.__cause__ = second, first
log.error("odd", exc_info=ExceptionGroup(NAME, [first]))
"""
    )
    assert event["exception"] == ["builtins.ExceptionGroup"]
    (event,) = logged(
        """
first, second = ValueError(PERSON), ValueError(NAME)
first.__cause__, second.__cause__ = second, first
log.error("odd", exc_info=first)
"""
    )
    assert event["exception"] == ["builtins.ValueError", "builtins.ValueError"]


def test_numbers_are_masked_wherever_they_stand() -> None:
    (event,) = logged(
        "log.error('read ' + PERSON, path=['person', PERSON, 3], keys={PERSON: (PERSON,)}, n=12)"
    )
    assert event["event"] == "read …"
    assert event["path"] == ["person", "…", 3]
    assert event["keys"] == {"…": ["…"]}
    assert event["n"] == 12


def test_numbers_are_masked_within_words_and_in_groups() -> None:
    (event,) = logged(
        "log.error('HS' + PERSON + ' 001.183.274.301', case='CMND012345678', by='001 183 274 301')"
    )
    assert (event["event"], event["case"], event["by"]) == ("HS… …", "CMND…", "…")


def test_whatever_is_logged_is_json() -> None:
    (large, half, keyed) = logged(
        "log.error('a', n=2**70); log.error('b', text='\\ud800');"
        "log.error('c', by={1: True, None: 'é'})"
    )
    assert large["n"] == 2**70
    assert half["text"] == "\ud800"
    assert keyed["by"] == {"1": True, "null": "é"}


def test_an_object_is_named_by_its_kind_alone() -> None:
    (event,) = logged(
        """
class Row:
    def __repr__(self): return NAME
log.error("odd", row=Row())
"""
    )
    assert event["row"] == "<Row>"


def test_libraries_and_warnings_are_written_in_the_same_form() -> None:
    events = logged(
        """
try:
    raise ValueError(NAME)
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application %s", PERSON)
warnings.warn(f"something about {PERSON}")
logging.getLogger("x").debug("not this")
"""
    )
    assert [event["level"] for event in events] == ["error", "warning"]
    assert events[0]["event"] == "Exception in ASGI application …"
    assert events[0]["logger"] == "uvicorn.error"
    assert events[0]["exception"][0] == "builtins.ValueError"


def test_requests_that_the_gateway_makes_are_not_logged_since_a_url_may_name_a_person() -> None:
    events = logged(
        """
import httpx2
transport = httpx2.MockTransport(lambda request: httpx2.Response(200))
httpx2.Client(transport=transport).get("https://provider.example/people/" + NAME)
logging.getLogger("httpx2").info("HTTP Request: GET %s", NAME)
logging.getLogger("httpcore2.connection").info("connect to %s", NAME)
logging.getLogger("httpx2").warning("a proxy is ignored")
logging.getLogger("httpcore2.connection").warning("a connection is not closed")
logging.getLogger("other").info("another library")
"""
    )
    assert [event["event"] for event in events] == [
        "a proxy is ignored",
        "a connection is not closed",
        "another library",
    ]


def test_http_clients_are_no_louder_than_the_rest() -> None:
    events = logged(
        """
configure("ERROR")
logging.getLogger("httpx2").warning("a proxy is ignored")
logging.getLogger("httpx2").error("odd")
"""
    )
    assert [event["event"] for event in events] == ["odd"]
