"""The report of an executed plan: what each field of it read, how long that took, and how it ended.

It stands in ``extensions.execution`` for callers who may see plans, and asked for theirs. It says
nothing that the answer does not say to the same caller. Rows are those of the answer, after
protection. Where a view or a check reads records that the caller need not see, only failures are
told, and the number of keys only where it follows from the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from connectors.description import Record
from gateway.answer import State, worst
from gateway.catalogue.read import Read
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.fetch.traced_reads import CacheUse, FetchNote, FetchTrace
from gateway.people.numbers import population_of
from gateway.permission.denials import DeniedField, find_denials
from gateway.plan.outline import FieldKind, PlannedField, outline_plan

#: What says nothing of anybody: how the source of a read does.
_FAILURES = frozenset({State.NOT_OPERATING, State.MAINTENANCE, State.TIMED_OUT, State.UNAVAILABLE})
#: A lookup: database, record, name.
_Lookup = tuple[str, str, str]


def report_execution(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation,
    result: Result,
) -> dict[str, object] | None:
    """Return the report as JSON; None where the plan was not executed.

    Times are in milliseconds. Reads the whole answer once: for requests that ask for their plan.
    """
    plan, trace = executable.plan, request.trace
    if plan is None or trace is None or executable.unplanned is not None:
        return None
    total = trace.elapsed()
    population = population_of(resources.sources)
    numbers = (
        () if population is None else (population.identity, population.earlier, population.holders)
    )
    records = tuple(dict.fromkeys(read.record for read in numbers))
    fields = list(outline_plan(plan, executable.arguments, records))
    report = _Report(
        data=orjson.loads(orjson.dumps(result.data)),
        denied={denial.path: denial for denial in find_denials(plan, request.caller)},
        fields=fields,
        notes=trace.fetches,
        numbers=frozenset(_lookup_of(read) for read in numbers),
    )
    return {
        "milliseconds": _milliseconds(total),
        **_phases(trace, total),
        "fetches": list(report.entries()),
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _phases(trace: FetchTrace, total: float) -> dict[str, float]:
    """Return where the time went: before the execution, in reads, in shaping, and else."""
    reading, until = 0.0, 0.0
    for sent, ended in sorted((note.sent, note.ended) for note in trace.fetches):
        start = max(sent, until)
        if ended > start:
            reading += ended - start
            until = ended
    rest = max(total - trace.executed - reading - trace.shaping, 0.0)
    return {
        "prepareMilliseconds": _milliseconds(trace.executed),
        "readMilliseconds": _milliseconds(reading),
        "shapeMilliseconds": _milliseconds(trace.shaping),
        "gatewayMilliseconds": _milliseconds(rest),
    }


@dataclass(frozen=True, slots=True)
class _RowCount:
    """The rows of a field in the answer.

    ``places``: how often the field stands there; ``unanswered``: at how many of them it is not
    known whether there are rows. ``rows``: of the others, None where there are none.
    """

    places: int
    unanswered: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class _Report:
    """Makes the entries of a report.

    ``data``: of the answer, plain. ``denied``: by path. ``numbers``: the lookups by which numbers
    are resolved.
    """

    data: object
    denied: Mapping[str, DeniedField]
    fields: Sequence[PlannedField]
    notes: Sequence[FetchNote]
    numbers: frozenset[_Lookup]

    def entries(self) -> Iterator[dict[str, object]]:
        """Yield an entry for each list of a wave, and for each database of another field."""
        grouped: dict[tuple[object, ...], list[PlannedField]] = {}
        for field in self.fields:
            group_key: object = field.path
            if field.kind.is_list:
                group_key = _lookup(field)
            elif field.kind is FieldKind.NUMBERS:
                group_key = None
            if field.records:
                grouped.setdefault((field.kind, field.wave, group_key), []).append(field)
        for fields in grouped.values():
            if fields[0].kind.is_list or fields[0].kind is FieldKind.NUMBERS:
                yield self._read_entry(fields)
            else:
                yield from self._inner_entries(fields[0])

    @property
    def _hides_others(self) -> bool:
        """Whether something is read that the caller need not see, maybe by the same lookups."""
        return any(
            not field.kind.is_list and field.kind is not FieldKind.NUMBERS for field in self.fields
        )

    def _read_entry(self, fields: Sequence[PlannedField]) -> dict[str, object]:
        """Return the entry of a list, or of resolving numbers, in one wave."""
        field = fields[0]
        shown = [path for path in fields if self._denial(path) is None]
        counts = _add_counts(_count_rows(self.data, path) for path in shown)
        notes = self._notes_of(field) if shown and (field.wave == 1 or counts.places) else []
        entry = _entry(field, [path.path for path in fields], field.records[:1])
        entry["lookup"] = None if field.read is None else field.read.lookup.name
        if not shown:
            denial = self._denial(field)
            assert denial is not None
            return {**entry, "state": denial.state.name, "missing": list(denial.missing)}
        if field.kind is FieldKind.LIST:
            entry |= {
                "rows": counts.rows,
                "places": counts.places,
                "unanswered": counts.unanswered,
            }
        return {**entry, **self._measure(field, notes, counts.places)}

    def _measure(
        self, field: PlannedField, notes: Sequence[FetchNote], places: int
    ) -> dict[str, object]:
        """Return what was measured of a list, or of numbers. ``places``: in the answer.

        Keys are those that the request names, and in later waves no more than the answer shows:
        earlier numbers of a person, and kin whom a view reads, are nobody's business here.
        """
        if not notes:
            return {"asked": False}
        shown_notes = notes
        if self._hides_others and field.wave == 1:  # later ones may be of kin
            shown_notes = [note for note in notes if note.wave == 1]
        failures = [state for state in _states(notes) if state in _FAILURES]
        states = [*_states(shown_notes), *failures]
        named = [note for note in notes if note.wave == 1] if field.wave == 1 else notes
        keys, cached, stale = _count_keys(named)
        most = keys if field.wave == 1 else min(keys, places)
        return {
            "state": worst(states).name if states else None,
            "breakerOpen": any(note.breaker_open for note in notes),
            "asked": any(note.is_asked for note in shown_notes),
            "cache": _cache_use(shown_notes),
            "form": "JSON"
            if any(note.read.template is not None for note in shown_notes)
            else "ROWS",
            "keys": most,
            "cachedKeys": min(cached, most),
            "staleKeys": min(stale, most),
            **_times(shown_notes),
        }

    def _inner_entries(self, field: PlannedField) -> Iterator[dict[str, object]]:
        """Yield an entry for each database that a view or a check may read."""
        denial = self._denial(field)
        databases: dict[str, list[Record]] = {}
        for record in field.records:
            databases.setdefault(record.database, []).append(record)
        for database, records in databases.items():
            entry = _entry(field, [field.path], records)
            if denial is not None:
                yield {**entry, "state": denial.state.name, "missing": list(denial.missing)}
                continue
            names = {record.name for record in records}
            failures = [
                note
                for note in self.notes
                if note.read.record.database == database
                and note.read.record.name in names
                and note.state in _FAILURES
            ]
            if failures:
                entry["state"] = worst(_states(failures)).name
                entry["breakerOpen"] = any(note.breaker_open for note in failures)
            yield entry

    def _denial(self, field: PlannedField) -> DeniedField | None:
        """Return why ``field``, or something above it, is denied."""
        for length in range(1, len(field.path) + 1):
            denial = self.denied.get(".".join(field.path[:length]))
            if denial is not None:
                return denial
        return None

    def _notes_of(self, field: PlannedField) -> list[FetchNote]:
        """Return the reads for a list, or for numbers, of one wave.

        Reads under earlier numbers come a turn later, and belong to the wave of their list.
        """
        if field.kind is FieldKind.NUMBERS:
            listed = {_lookup(other) for other in self.fields if other.kind.is_list}
            lookups = self.numbers - listed
            waves = {other.wave for other in self.fields if other.kind is FieldKind.NUMBERS}
        else:
            lookups = frozenset({_lookup(field)})
            waves = {
                other.wave
                for other in self.fields
                if other.kind.is_list and _lookup(other) in lookups
            }
        following = min((wave for wave in waves if wave > field.wave), default=None)
        first = 1 if field.wave == min(waves) else field.wave
        return [
            note
            for note in self.notes
            if _lookup_of(note.read) in lookups
            and note.wave >= first
            and (following is None or note.wave < following)
        ]


def _lookup(field: PlannedField) -> _Lookup:
    assert field.read is not None
    return _lookup_of(field.read)


def _lookup_of(read: Read) -> _Lookup:
    return read.record.database, read.record.name, read.lookup.name


def _states(notes: Iterable[FetchNote]) -> list[State]:
    return [note.state for note in notes if note.state is not None]


def _entry(
    field: PlannedField, paths: Iterable[Sequence[str]], records: Iterable[Record]
) -> dict[str, object]:
    """Return an entry of which nothing is known yet."""
    read_records = list(records)
    return {
        "kind": field.kind.name,
        "wave": field.wave,
        "database": read_records[0].database,
        "records": [record.name for record in read_records],
        "paths": [".".join(path) for path in paths],
        "state": None,
        "missing": [],
        "breakerOpen": False,
    }


def _count_keys(notes: Sequence[FetchNote]) -> tuple[int, int, int]:
    """Return the number of keys, of those from the cache, and of those with older rows.

    Several lookups of one entry resolve the same numbers.
    """
    by_lookup: dict[_Lookup, list[FetchNote]] = {}
    for note in notes:
        by_lookup.setdefault(_lookup_of(note.read), []).append(note)
    return (
        max((sum(note.keys for note in reads) for reads in by_lookup.values()), default=0),
        min((sum(note.cached_keys for note in reads) for reads in by_lookup.values()), default=0),
        max((sum(note.stale_keys for note in reads) for reads in by_lookup.values()), default=0),
    )


def _cache_use(notes: Sequence[FetchNote]) -> str | None:
    """Return how the cache was used for several reads of a lookup: the best of their uses."""
    uses = [use for use in CacheUse if any(note.cache is use for note in notes)]
    return uses[0].name if uses else None


def _times(notes: Sequence[FetchNote]) -> dict[str, float]:
    """Return when reads began and ended, and how long they waited and were read."""
    if not notes:
        return {}
    spans = sum(max(note.ended - note.sent, 0.0) for note in notes)
    waited = min(sum(note.waited for note in notes), spans)
    is_asked = any(note.is_asked for note in notes)
    return {
        "startMilliseconds": _milliseconds(min(note.sent for note in notes)),
        "endMilliseconds": _milliseconds(max(note.ended for note in notes)),
        "waitMilliseconds": _milliseconds(waited),
        "databaseMilliseconds": _milliseconds(spans - waited if is_asked else 0.0),
    }


def _count_rows(data: object, field: PlannedField) -> _RowCount:
    """Count the rows of ``field`` in the answer; what is null is not known, unless it is said."""
    places = [place for place in _values(data, field.path) if _is_place(field, place)]
    rows, unanswered = 0, 0
    for place in places:
        count = _rows_at(place, field.row_key)
        if count is None:
            unanswered += 1
        else:
            rows += count
    answered_rows = None if unanswered == len(places) else rows
    return _RowCount(len(places), unanswered, answered_rows)


def _is_place(field: PlannedField, value: object) -> bool:
    """Say whether the field stands there: no person is at the end of a link that is null."""
    return value is not None or field.kind is not FieldKind.NUMBERS


def _values(value: object, path: Sequence[str]) -> Iterator[object]:
    """Yield what stands at ``path``, once for each row on the way."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _rows_at(place: object, row_key: str | None) -> int | None:
    """Return how many rows a list shows; None: not known, or no rows are selected."""
    if not isinstance(place, dict) or row_key is None:
        return None
    rows = place.get(row_key)
    if isinstance(rows, list):
        return len(rows)
    if isinstance(rows, dict):
        return 1
    # A single record that is null: there is none, or it is not known. Its report says which.
    source = place.get("source")
    is_single = row_key == "item"
    answered = isinstance(source, dict) and source.get("state") == State.ANSWERED.name
    return 0 if is_single and answered else None


def _add_counts(counts: Iterable[_RowCount]) -> _RowCount:
    added = list(counts)
    row_counts = [count.rows for count in added if count.rows is not None]
    return _RowCount(
        sum(count.places for count in added),
        sum(count.unanswered for count in added),
        sum(row_counts) if row_counts else None,
    )
