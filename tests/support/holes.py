"""Generated worlds: a few related people in all databases, with missing data and failures.

Drawn at random: which people are in which database, which values are missing or unreadable, which
numbers mislead, and which databases fail. Nothing depends on time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from random import Random
from zlib import crc32

from connectors.backends.base import (
    NOBODY,
    Asker,
    Backend,
    Batch,
    Capabilities,
    Examination,
    Scope,
    SourceRefused,
)
from connectors.backends.memory import MemoryBackend
from connectors.description import Column, Database, Group, Kind, Lookup, Record
from connectors.registry import installed_databases
from gateway.catalogue.entry_points import entries_of
from gateway.settings import DatabaseSettings
from tests.support.arguments import Details
from tests.support.faults import Faulty
from tests.support.rows import Raw, break_row, several_values, some_row

Rows = dict[str, list[Raw]]
#: A column of a record, by their names.
Place = tuple[str, str]

_NOBODY = "001099999999"
_UNREADABLE = 0.025
_OVERFULL = 0.003


@dataclass(frozen=True, slots=True)
class World:
    """Databases in memory and their settings.

    ``backends`` lacks unreachable databases. ``numbers``: of persons, present and earlier; the
    present ones three times, since an earlier one often leads to nobody.
    ``citizens``: numbers of citizens who ask for their own view. ``details``: the details that
    ``matching`` may agree with. ``rows``: the raw rows of the databases.
    """

    databases: tuple[Database, ...]
    backends: dict[str, Backend]
    settings: dict[str, DatabaseSettings]
    numbers: list[str]
    citizens: list[str]
    details: dict[str, Details]
    rows: dict[str, Rows]

    @property
    def thing_keys(self) -> dict[str, list[str]]:
        """The keys of things that have a row, by the root field that finds them."""
        return {
            name: sorted(
                {
                    key
                    for row in self.rows[entry.database].get(entry.record.name, ())
                    if isinstance(key := row.get(entry.lookup.by[0]), str)
                }
            )
            for name, entry in entries_of(self.databases).items()
        }


@dataclass(slots=True)
class Cast:
    """The people of a world. ``numbers``: all numbers of each, the present one first."""

    present: list[str]
    numbers: dict[str, list[str]]
    earlier: list[str] = field(default_factory=list)


class TellsAskersApart:
    """A database whose messages name who asks: each learns of some people only.

    A call that names nobody, or a key that was sent on behalf of somebody else, shows in the rows.
    """

    capabilities = Capabilities(batch_scope=Scope.CALLER, cache_scope=Scope.CALLER)

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        return await self.inner.examine(thoroughly=thoroughly)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        if asker.user is None:
            raise SourceRefused("nobody is named")
        batch = await self.inner.fetch(record, lookup, keys, asker)
        told = {key: rows for key, rows in batch.by_key.items() if _is_told(asker, record, key)}
        return replace(batch, by_key=told)


def _is_told(asker: Asker, record: Record, key: str) -> bool:
    """Say whether ``asker`` learns what ``record`` has under ``key``: seven times in eight."""
    return crc32(repr((asker, record.name, key)).encode()) % 8 > 0


def world(rng: Random) -> World:
    """Return a world. Takes some 10 ms."""
    databases = _installed()
    cast = _cast(rng)
    rows = {database.name: _database_rows(rng, database, cast) for database in databases}
    population = rows["population"]
    population["earlier_numbers"] = _earlier_numbers(rng, cast)
    population["identity"] = list(_identities(rng, _records("population")["identity"], cast))
    backends, settings = _set_up(rng, databases, rows)
    details = {str(row["citizen_id"]): _details(row) for row in population["identity"]}
    details |= {
        number: details[present]
        for present in cast.numbers
        if present in details
        for number in cast.numbers[present]
    }
    numbers = 3 * cast.present + cast.earlier
    citizens = [*cast.present, rng.choice(cast.present + cast.earlier)]
    if rng.random() < 0.3:
        citizens.append(_NOBODY)
    return World(databases, backends, settings, numbers, citizens, details, rows)


@lru_cache(maxsize=1)
def _installed() -> tuple[Database, ...]:
    return installed_databases()


@lru_cache(maxsize=64)
def _records(database: str) -> Mapping[str, Record]:
    return next(installed for installed in _installed() if installed.name == database).by_name


def _cast(rng: Random) -> Cast:
    present = [_number(rng) for _ in range(rng.randint(5, 8))]
    cast = Cast(present, {number: [number] for number in present})
    for number in present:
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            earlier = f"{rng.randrange(10**9):09d}" if rng.random() < 0.7 else _number(rng)
            cast.numbers[number].append(earlier)
            cast.earlier.append(earlier)
    return cast


def _number(rng: Random) -> str:
    """Return a number that fits its holder's sex and year of birth only by chance."""
    prefix = rng.choice(("001", "079", "036", "001", "999"))
    return f"{prefix}{rng.randrange(4)}{rng.randrange(100):02d}{rng.randrange(10**6):06d}"


def _details(row: Mapping[str, object]) -> Details:
    name, born = row.get("full_name"), row.get("birth_date")
    return (
        name if isinstance(name, str) and "\n" not in name else None,
        str(born) if born is not None and str(born)[:4].isdigit() else None,
    )


def _identities(rng: Random, record: Record, cast: Cast) -> Iterator[Raw]:
    """Yield rows of identities: not for all, some twice, some under an earlier number too."""
    for number in cast.present:
        for _ in range(rng.choices((1, 0, 2, 3), (91, 6, 2, 1))[0]):
            yield _identity(rng, record, number)
    for number in cast.earlier:
        if len(number) == 12 and rng.random() < 0.15:
            yield _identity(rng, record, number)


def _identity(rng: Random, record: Record, number: str) -> Raw:
    row = some_row(rng, record)
    row["citizen_id"] = number
    row["residence_file_no"] = rng.choice(("HK/1", "HK/2", "HK/3", None))
    row["life_status"] = rng.choice(("ALIVE", "ALIVE", "ALIVE", "DEAD", "MISSING", None))
    row["status"] = rng.choice(("CURRENT", "CURRENT", "CURRENT", "UNDER_CORRECTION", None))
    if rng.random() < 0.5:
        row["full_name"] = rng.choice(("Nguyễn Văn Hòa", "Trần Thị Lan", "LÊ  VĂN TƯ"))
    if rng.random() < 0.4:
        row["sex"] = "FEMALE" if int(number[3]) % 2 else "MALE"
        row["birth_date"] = str(1900 + 100 * (int(number[3]) // 2) + int(number[4:6]))
    if rng.random() < _UNREADABLE:
        break_row(rng, record, row)
        row["citizen_id"] = number
    return row


def _earlier_numbers(rng: Random, cast: Cast) -> list[Raw]:
    """Return the rows of earlier numbers; two people share some of them."""
    record = _records("population")["earlier_numbers"]
    entries = [(number, person) for person in cast.present for number in cast.numbers[person][1:]]
    for number in cast.earlier:
        if rng.random() < 0.08:
            entries += [(number, rng.choice(cast.present))]
    rows = []
    for place, (number, holder) in enumerate(entries):
        row = some_row(rng, record)
        row |= {"entry_id": f"e{place}", "number": number, "citizen_id": holder}
        if rng.random() < _UNREADABLE:
            break_row(rng, record, row)
        rows.append(row)
    return rows


@dataclass(slots=True)
class _Filling:
    """A database while it is filled. ``keys``: the possible keys, by place."""

    rng: Random
    cast: Cast
    keys: Mapping[Place, list[str]]
    count: int = 0


def _database_rows(rng: Random, database: Database, cast: Cast) -> Rows:
    filling = _Filling(rng, cast, _keys(database, cast))
    rows: Rows = {}
    for record in database.records:
        rows[record.name] = list(_rows(filling, record))
        if rng.random() < _OVERFULL and not record.single and _person_columns(record):
            by, owner = rng.choice(_person_columns(record)), rng.choice(cast.present)
            rows[record.name] += [
                _row(filling, record, {by: owner}) for _ in range(record.limit + 5)
            ]
    return rows


def _keys(database: Database, cast: Cast) -> dict[Place, list[str]]:
    """Return the keys for each column that links records; linked columns share them."""
    keys: dict[Place, list[str]] = {}
    for met in _meetings(database.name):
        record, column = met[0]
        is_number = database.by_name[record].column(column).field.kind is Kind.PERSON_NUMBER
        place_keys = list(cast.present) if is_number else [f"{column}/{n}/2024" for n in range(6)]
        keys |= dict.fromkeys(met, place_keys)
    return keys


@lru_cache(maxsize=64)
def _meetings(database: str) -> tuple[tuple[Place, ...], ...]:
    """Return the columns that link records, in groups of linked columns."""
    groups: dict[Place, set[Place]] = {}
    for record in _records(database).values():
        for column, linked in _meetings_of(record):
            joined = groups.get(column, {column}) | groups.get(linked, {linked})
            groups |= dict.fromkeys(joined, joined)
    return tuple(dict.fromkeys(tuple(sorted(group)) for group in groups.values()))


def _meetings_of(record: Record) -> Iterator[tuple[Place, Place]]:
    for lookup in record.lookups:
        target = (record.name, lookup.by[0])
        if lookup.through is not None:
            other, column = lookup.through
            yield (other, column), (record.name, column)
            target = (other, lookup.by[0])
        if lookup.on is not None:
            yield lookup.on, target


def _person_columns(record: Record) -> tuple[str, ...]:
    """Return the columns with the number of the person whose record it is."""
    return tuple(
        column
        for lookup in record.lookups
        if lookup.on is None and lookup.through is None and not lookup.hidden
        for column in lookup.by
    )


def _rows(filling: _Filling, record: Record) -> Iterator[Raw]:
    """Yield the rows of a record: by person, or by the keys that link to it."""
    rng, columns = filling.rng, _person_columns(record)
    counts = (0, 1, 1, 1, 1, 1) if record.single else (0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 6)
    if columns:
        for person in filling.cast.present:
            for _ in range(rng.choice(counts) if rng.random() > 0.02 else 3):
                owner = person if rng.random() < 0.75 else rng.choice(filling.cast.numbers[person])
                yield _row(filling, record, {rng.choice(columns): owner})
        return
    by = record.lookups[0].by[0]
    for key in filling.keys.get((record.name, record.identity), ()):
        for _ in range(rng.choices((1, 0, 2, 3), (92, 4, 3, 1))[0]):
            yield _row(filling, record, {record.identity: key})
    if (record.name, record.identity) not in filling.keys:
        for key in filling.keys.get((record.name, by), ()):
            for _ in range(rng.choice((1, 2, 3, 3, 4, 0))):
                yield _row(filling, record, {by: key})


def _row(filling: _Filling, record: Record, fixed: Mapping[str, object]) -> Raw:
    """Return a row with the values ``fixed``, and random values and links otherwise."""
    rng = filling.rng
    row = some_row(rng, record)
    for column in _linking(record.database, record.name):
        keys = filling.keys.get((record.name, column.name))
        row[column.name] = _link(filling, column, keys)
    filling.count += rng.random() > 0.02
    identity_keys = filling.keys.get((record.name, record.identity))
    row[record.identity] = (
        rng.choice(identity_keys) if identity_keys else f"{record.name}-{filling.count:04d}"
    )
    row |= fixed
    if rng.random() < _UNREADABLE:
        break_row(rng, record, row)
    return row


@lru_cache(maxsize=1024)
def _linking(database: str, record: str) -> tuple[Column, ...]:
    """Return the columns that may link to persons or to other records."""
    places = {place for met in _meetings(database) for place in met}
    return tuple(
        candidate
        for candidate in _records(database)[record].columns
        if candidate.field.kind is Kind.PERSON_NUMBER or (record, candidate.name) in places
    )


def _link(filling: _Filling, column: Column, keys: Sequence[str] | None) -> object:
    rng, draw = filling.rng, filling.rng.random()
    if column.field.many:
        return (
            None if draw < 0.3 else several_values(rng, list(rng.sample(filling.cast.present, 2)))
        )
    if keys is not None:
        return rng.choice(keys) if draw < 0.93 or column.required else rng.choice((None, "none"))
    if draw < 0.6:
        return filling.cast.present[filling.count % len(filling.cast.present)]
    if draw < 0.78 or column.required:
        return rng.choice(filling.cast.present)
    if draw < 0.84:
        return rng.choice(filling.cast.earlier or filling.cast.present)
    return _NOBODY if draw < 0.87 else None


def _set_up(
    rng: Random, databases: Sequence[Database], rows: Mapping[str, Rows]
) -> tuple[dict[str, Backend], dict[str, DatabaseSettings]]:
    """Return backends over the rows, some of which fail, and settings, some of which deny."""
    backends: dict[str, Backend] = {}
    settings: dict[str, DatabaseSettings] = {}
    for database in databases:
        settings[database.name] = _settings(rng)
        if rng.random() > 0.015:
            backends[database.name] = _backend(rng, database, rows[database.name])
    return backends, settings


def _backend(rng: Random, database: Database, rows: Rows) -> Backend:
    as_of = rng.choice((None, datetime(2026, 11, 22, 17, 30, 0, 250, tzinfo=UTC)))
    present = dict(rows)
    if rng.random() < 0.03:
        del present[rng.choice(list(present))]
    inner: Backend = MemoryBackend(database, present, as_of)
    if rng.random() < 0.08:
        inner = TellsAskersApart(inner)
    if rng.random() > 0.1:
        return inner
    faulty = Faulty(inner, rng.choice(("down", "defect", "unmapped")))
    if faulty.fault == "unmapped" or rng.random() < 0.6:
        faulty.only = rng.choice(database.records).name
    return faulty


def _settings(rng: Random) -> DatabaseSettings:
    """Return settings with a long timeout; most let the database answer."""
    group = Group.OPERATING if rng.random() < 0.97 else rng.choice((None, *Group))
    return DatabaseSettings(
        group=group,
        timeout=20,
        breaker_failures=0,  # the state of a breaker would make a second request differ
        maintenance=rng.random() < 0.02,
        provinces=rng.choice(((), ("01", "79"), ("01", "XX"))) if rng.random() < 0.1 else None,
        since=date(2016, 1, 1) if rng.random() < 0.1 else None,
    )
