"""What a run would read, before it does."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from connectors.backends.server import ServerOptions
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.tables import metadata_of
from gateway.cli.command_host import CommandDatabase
from reconcile.estimate import RecordEstimate, estimate_lines, estimate_run, open_share
from reconcile.settings import ReconcileSettings, SourceRate

NEEDS = {
    ("population", "identity"): ("citizen_id", "full_name"),
    ("legal_aid", "cases"): ("case_code",),
    ("notary", "wills"): ("will_id",),
}


@pytest.fixture
def databases(tmp_path: Path) -> list[CommandDatabase]:
    file = tmp_path / "population.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    metadata_of(POPULATION).create_all(engine)
    engine.dispose()
    return [
        CommandDatabase(POPULATION, f"sqlite:///{file}", False, ServerOptions(), {}, None),
        CommandDatabase(LEGAL_AID, None, True, ServerOptions(), {}, None),
        CommandDatabase(NOTARY, f"sqlite:///{file}", False, ServerOptions(), {}, None),
    ]


def test_what_would_not_be_read_is_said_with_the_reason(databases: list[CommandDatabase]) -> None:
    chosen = ("legal_aid", "population")
    population, legal_aid, notary = estimate_run(databases, chosen, NEEDS, ReconcileSettings())
    assert (population.name, population.rows) == ("population.identity", 0)
    assert (population.is_exact, population.reason) == (True, None)
    assert legal_aid.rows is None
    assert "X-Road" in str(legal_aid.reason)
    assert (notary.rows, notary.reason) == (None, "the database was not chosen")


def test_a_source_that_does_not_answer_is_not_read(
    databases: list[CommandDatabase], tmp_path: Path
) -> None:
    (tmp_path / "population.sqlite").unlink()
    (estimate,) = estimate_run(databases[:1], ("population",), NEEDS, ReconcileSettings())
    assert estimate.rows is None
    assert estimate.reason


def test_sums_are_of_what_is_read() -> None:
    *first, total, unreadable, last = estimate_lines(
        [
            RecordEstimate("a.b", 1_000_000, True, 12_000_000, 30.0),
            RecordEstimate("a.c", 500_000, False, 500, 15.0, unreadable=2),
            RecordEstimate("a.d", None, reason="it is behind X-Road"),
        ]
    )
    assert first == [
        "a.b: 1,000,000 rows, 12 MB, 30 s",
        "a.c: about 500,000 rows, 500 bytes, 15 s",
    ]
    assert total.startswith("together: 1,500,000 rows, 12 MB on disk, 45 s to extract, ")
    assert unreadable == "a.c: has values that cannot be read"
    assert last == "a.d: would not be read: it is behind X-Road"


@pytest.mark.parametrize(
    ("rate", "factor"),
    [
        (SourceRate(), 1.0),
        (SourceRate(begins=time(22), ends=time(4)), 4.0),
        (SourceRate(begins=time(12)), 2.0),
        (SourceRate(ends=time(6)), 4.0),
        (SourceRate(begins=time(5), ends=time(5)), 1.0),
    ],
)
def test_windows_make_it_longer(rate: SourceRate, factor: float) -> None:
    assert 1 / open_share(rate) == pytest.approx(factor)
