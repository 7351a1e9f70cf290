"""What happened to a person, and who looked at their data, as a page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.description import Database
from gateway.answer import State
from gateway.audit.touched import INTERESTS, Role
from gateway.derived.registry import ALL as DERIVED
from gateway.pages.languages import Language
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.documents import ACCESS_LOG, TIMELINE
from gateway.pages.person.records import say_date
from gateway.pages.person.view import NONE, UNKNOWN
from gateway.pages.phrases.person import PERSON
from gateway.procedures.registry import ALL as PROCEDURES

_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventView:
    """An event: its date as people write it, what happened, and where that is recorded."""

    date: str
    title: str
    record: str
    database: str


@dataclass(frozen=True, slots=True)
class GapView:
    """What may be missing from the history, and why."""

    database: str
    why: str
    records: tuple[str, ...]
    until: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimelineView:
    """A page of the history. ``cursor``: where the next page begins, empty on the last."""

    shape: str
    sentence: str
    events: tuple[EventView, ...]
    gaps: tuple[GapView, ...]
    cursor: str

    @property
    def has_failed(self) -> bool:
        """Whether there is no history at all; gaps name the databases, which say so themselves."""
        return self.shape == UNKNOWN and not self.gaps


@dataclass(frozen=True, slots=True)
class LookUpView:
    """A look at the person's data. ``is_own``: their own; ``parts``: what was read."""

    at: str
    agency: str
    purpose: str
    case_number: str
    role: str
    parts: tuple[str, ...]
    request_id: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class AccessLogView:
    """A page of the access log. ``complete_until``: no look before it is missing."""

    shape: str
    sentence: str
    look_ups: tuple[LookUpView, ...]
    complete_until: str
    cursor: str

    @property
    def has_failed(self) -> bool:
        """Whether looks may be missing that the log would show if it were whole."""
        return self.shape not in {State.ANSWERED.name, NONE, State.NOT_OPERATING.name}


def view_timeline(
    answer: JoinedAnswer, databases: Sequence[Database], language: Language
) -> TimelineView:
    """Return the history of an answer; it says "none" only where nothing can be missing."""
    choose, timeline = language.choose, answer.person.get(TIMELINE)
    if timeline is None:
        return TimelineView(UNKNOWN, _why(answer, TIMELINE, language), (), (), "")
    titles = _Titles(databases, language)
    events = tuple(
        EventView(
            say_date(language, node["date"]),
            language.sentence(node["title"]),
            titles.find(f"{node['database']}.{node['record']}"),
            titles.find(node["database"]),
        )
        for node in (edge["node"] for edge in timeline["edges"] or ())
    )
    gaps = tuple(
        GapView(
            titles.find(gap["database"]),
            choose(gap["message"]),
            tuple(titles.find(f"{gap['database']}.{name}") for name in gap["records"]),
            language.day(gap["until"]) if gap["until"] else "",
            tuple(gap["missing"]),
        )
        for gap in timeline["gaps"]
    )
    page = timeline["pageInfo"]
    cursor = page["endCursor"] if page["hasNextPage"] else ""
    if events:
        return TimelineView(State.ANSWERED.name, "", events, gaps, cursor or "")
    is_none = timeline["edges"] == [] and not gaps
    sentence = choose(PERSON["no_events" if is_none else "events_unknown"])
    return TimelineView(NONE if is_none else UNKNOWN, sentence, (), gaps, "")


def view_access_log(
    answer: JoinedAnswer, databases: Sequence[Database], language: Language
) -> AccessLogView:
    """Return the access log of an answer. The looks of one request are shown as one."""
    choose, log = language.choose, answer.person.get(ACCESS_LOG)
    if log is None:
        return AccessLogView(UNKNOWN, _why(answer, ACCESS_LOG, language), (), "", "")
    state, until = State[log["state"]], log["completeUntil"]
    complete_until = language.moment(until) if until else ""
    if log["items"] is None:
        shape = State.NOT_OPERATING.name if state is State.NOT_OPERATING else UNKNOWN
        phrase = "log_not_kept" if state is State.NOT_OPERATING else "log_unknown"
        return AccessLogView(shape, choose(PERSON[phrase]), (), complete_until, "")
    titles = _Titles(databases, language)
    requests: dict[tuple[str, str], list[_Json]] = {}
    for item in log["items"]:
        requests.setdefault((item["requestId"], item["role"]), []).append(item)
    look_ups = tuple(_look_up(items, titles, language) for items in requests.values())
    sentence = "" if state is State.ANSWERED else choose(PERSON["log_partial"])
    shape = state.name
    if not look_ups:
        is_none = state is State.ANSWERED
        shape = NONE if is_none else UNKNOWN
        sentence = choose(PERSON["nobody_looked" if is_none else "log_partial"])
    return AccessLogView(shape, sentence, look_ups, complete_until, log["next"] or "")


def _look_up(items: Sequence[_Json], titles: _Titles, language: Language) -> LookUpView:
    first, choose = items[0], language.choose
    is_own = first["role"] == Role.OWN.name
    sections = dict.fromkeys(name for item in items for name in item["sections"])
    purpose = choose(first["purposeTitle"]) if first["purposeTitle"] else first["purpose"] or ""
    agency = first["agency"] or choose(PERSON["agency_not_named"])
    return LookUpView(
        language.moment(first["at"]),
        choose(PERSON["yourself"]) if is_own else agency,
        purpose[:1].upper() + purpose[1:],
        first["caseNumber"] or "",
        choose(Role[first["role"]].title),
        tuple(dict.fromkeys(map(titles.find, sections))),
        first["requestId"],
        is_own,
    )


class _Titles:
    """Titles of databases, records, facts and checks, by the names that answers have."""

    def __init__(self, databases: Sequence[Database], language: Language) -> None:
        self._titles = dict(_titles(databases, language))

    def find(self, name: str) -> str:
        """Return the title of what is called ``name``; its name where nothing declares it."""
        while name not in self._titles and "." in name:
            name = name.rpartition(".")[0]
        return self._titles.get(name, name)


def _titles(databases: Sequence[Database], language: Language) -> Iterator[tuple[str, str]]:
    for database in databases:
        yield database.name, language.sentence(database.title)
        for record in database.records:
            yield f"{database.name}.{record.name}", language.sentence(record.title)
    yield INTERESTS, language.choose(PERSON["follow_section"])
    for view in DERIVED:
        yield f"{view.database}.{view.name}", language.sentence(view.title)
    for procedure in PROCEDURES:
        if procedure.check is not None:
            yield f"procedures.{procedure.check.name}", language.sentence(procedure.title)


def _why(answer: JoinedAnswer, name: str, language: Language) -> str:
    """Return why a part was not answered."""
    errors = [error for error in answer.errors if error["path"][:1] == [name]]
    lost = answer.lost.get((name,), errors[0] if errors else None)
    if lost is None:
        return language.choose(PERSON["not_answered_says"])
    details: str = lost["extensions"].get("messageVi", lost["message"])
    message: str = lost["message"]
    return details if language.code == "vi" else message
