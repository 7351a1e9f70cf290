"""The registry: databases come from the entry points of installed packages."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from connectors.description import Database
from connectors.registry import GROUP, installed_databases

SEVEN = [
    "administrative_violations",
    "civil_enforcement",
    "civil_status",
    "legal_aid",
    "notary",
    "population",
    "security_measures",
]

pytestmark = pytest.mark.skipif(
    not entry_points(group=GROUP), reason="the package is not installed here"
)

MODULE = """
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Group


@record(("A", "B"), lookups=[lookup("permits", "A", "Permits", by="id")], identity="id")
class Permit:
    id: str = field("ma", "Id", BASIC)


DATABASE = database(
    {name!r},
    title=("A", "A"),
    owner=("B", "B"),
    legal_basis=(),
    group=Group.PLANNED,
    records=[Permit],
)
OTHER = "no database"
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with a connector where Python finds it, as an installer would."""

    def install(module: str, name: str, point: str, value: str = "DATABASE") -> None:
        (tmp_path / f"{module}.py").write_text(MODULE.format(name=name), "utf-8")
        folder = tmp_path / f"{module}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{point} = {module}:{value}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return install


def _names() -> list[str]:
    return [database.name for database in installed_databases()]


def test_the_seven_databases_are_there_in_the_order_of_their_names() -> None:
    assert _names() == SEVEN
    assert all(isinstance(database, Database) for database in installed_databases())


def test_each_database_is_registered_under_its_own_name() -> None:
    for point in entry_points(group=GROUP):
        assert point.load().name == point.name


def test_another_package_adds_a_database_by_one_line(install: Install) -> None:
    install("permits_connector", "permits", "permits")
    assert _names() == sorted([*SEVEN, "permits"])
    permits = next(database for database in installed_databases() if database.name == "permits")
    assert [record.name for record in permits.records] == ["permits"]


def test_a_name_that_is_taken_is_refused(install: Install) -> None:
    install("second_notary_connector", "notary", "second_notary")
    with pytest.raises(ValueError, match="two connectors declare the database notary"):
        installed_databases()


def test_an_entry_point_that_is_no_database_is_refused_by_name(install: Install) -> None:
    install("odd_connector", "odd", "odd_one", "OTHER")
    with pytest.raises(TypeError, match="odd_one is no database"):
        installed_databases()


def test_a_connector_that_cannot_be_loaded_is_not_passed_over(install: Install) -> None:
    """A database that is missing without a word would read as one that has nothing to say."""
    install("broken_connector", "broken", "broken", "NOTHING")
    with pytest.raises(AttributeError):
        installed_databases()
