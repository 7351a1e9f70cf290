"""The output of the doctor fits a terminal of 80 columns."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from rich.text import Text

from connectors.backends.base import Examination, Finding
from connectors.registry import installed_databases
from gateway.cli.doctor import print_checkups
from gateway.databases.doctor import Checkup, LocatedFinding

WIDTH = 80
ADVICE = (
    "have its owner make one: CREATE INDEX ON administrative_violation_decisions "
    "(violator_personal_number); no look-up reads the whole table then"
)
FINDING = Finding("index", "violator_personal_number of decisions: it is read whole", ADVICE)
PROBLEM = LocatedFinding(FINDING, "/etc/justice-gateway/gateway.toml:1234")
POSTGRESQL = Examination((FINDING,), "PostgreSQL 16.9", "UTF8", 0.04, (0.0003, 0.0012))
SLOW = Examination((FINDING,), "MariaDB 10.11.14", "utf8mb4", -3600.0, (0.2126, 1.2237))
LONG = Examination(
    (), "PostgreSQL 17.6 (Debian 17.6-1.pgdg120+1)", "EUC_JIS_2004", 86400.5, (1, 60.5)
)
XROAD = Examination((), "X-Road")


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *checkups: Checkup
) -> list[str]:
    """Return the lines that a terminal shows."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    print_checkups(checkups)
    return Text.from_ansi(capsys.readouterr().out).plain.splitlines()


def cells(lines: list[str]) -> dict[str, list[str]]:
    """Return what stands in each row of the table, by the database's name, without blanks."""
    heading = next(line for line in lines if line.startswith("database"))
    starts = [match.start() for match in re.finditer(r"\S+", heading)]
    result: dict[str, list[str]] = {}
    for line in lines[lines.index(heading) + 2 :]:
        row = [line[start:end].strip() for start, end in pairwise([*starts, WIDTH])]
        if row[0]:
            last = result[row[0]] = ["" for _ in row[1:]]
        for place, text in enumerate(row[1:]):
            last[place] += text.replace(" ", "")
    return result


def test_no_word_of_the_table_is_broken_or_cut_off_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [database.name for database in installed_databases()]
    results = [POSTGRESQL, SLOW, XROAD, None]
    checkups = [Checkup(name, results[place % 4]) for place, name in enumerate(names)]
    lines = printed(monkeypatch, capsys, *checkups)
    assert max(map(len, lines)) <= WIDTH
    words = set(" ".join(lines).split())
    expected = (
        "database server encoding clock look-up p50/p99 state PostgreSQL 16.9 UTF8 +0.0 s 0.3 1.2 "
        "MariaDB 10.11.14 utf8mb4 -3600 213 1224 ms X-Road well not configured"
    )
    assert {*names, *expected.split()} - words == set()
    assert "…" not in "".join(lines)


def test_a_long_name_of_a_server_or_an_encoding_goes_on_in_the_next_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(
        monkeypatch, capsys, Checkup("administrative_violations", LONG), Checkup("notary", None)
    )
    assert max(map(len, lines)) <= WIDTH
    assert cells(lines) == {
        "administrative_violations": [
            "PostgreSQL17.6(Debian17.6-1.pgdg120+1)",
            "EUC_JIS_2004",
            "+86400s",
            "1000/60500ms",
            "well",
        ],
        "notary": ["-", "-", "-", "-", "notconfigured"],
    }


def test_findings_and_advice_are_wrapped_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(monkeypatch, capsys, Checkup("legal_aid", POSTGRESQL, (PROBLEM,)))
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(" ".join(lines).split())
    assert f"legal_aid: index: {FINDING.text} {PROBLEM.where}: {ADVICE}" in text
    advice = lines[next(i for i, line in enumerate(lines) if PROBLEM.where in line) :]
    assert len(advice) > 1
    assert all(line.startswith("    ") for line in advice)


def test_what_is_no_terminal_gets_each_finding_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    print_checkups([Checkup("legal_aid", POSTGRESQL, (PROBLEM,))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [f"legal_aid: index: {FINDING.text}", f"    {PROBLEM.where}: {ADVICE}"]
