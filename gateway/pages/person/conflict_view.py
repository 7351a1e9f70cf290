"""Where records contradict each other: each side in words, which prevails, and by which law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.description import Database
from gateway.derived.view import UnknownReason
from gateway.pages.languages import Language
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.records import ValueWriter, column_title, split_statement
from gateway.pages.person.view import NONE, UNKNOWN
from gateway.pages.phrases.person import PERSON
from rules.rule import ConflictCode, ConflictSeverity

_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SideView:
    """What a record says. ``prevails``: by law, above the others."""

    database: str
    owner: str
    contact: str
    record: str
    as_of: str
    says: tuple[tuple[str, str], ...]
    prevails: bool


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Records that contradict each other. ``is_decided``: the law says which prevails."""

    code: str
    title: str
    severity: str
    sides: tuple[SideView, ...]
    law: str
    advice: str
    is_decided: bool

    @property
    def wrong(self) -> tuple[SideView, ...]:
        """The sides that do not prevail; all of them where the law prefers none."""
        return tuple(side for side in self.sides if not side.prevails)


@dataclass(frozen=True, slots=True)
class ConflictsView:
    """All conflicts. ``unchecked``: rules with why they were not checked; ``sentence``: of all."""

    shape: str
    sentence: str
    conflicts: tuple[ConflictView, ...]
    unchecked: tuple[tuple[str, str], ...]
    has_failed: bool


def view_conflicts(
    answer: JoinedAnswer, databases: Sequence[Database], language: Language, writer: ValueWriter
) -> ConflictsView:
    """Return the conflicts of an answer, most serious first."""
    choose = language.choose
    fact = answer.person.get("conflicts")
    report = None if fact is None else fact["value"]
    if report is None:
        lost = answer.lost.get(("conflicts",))
        sentence = choose(PERSON["not_answered_says"])
        if lost is not None:
            details = lost["extensions"]
            sentence = details.get("messageVi", "") if language.code == "vi" else lost["message"]
        elif fact is not None and fact["reason"]:
            sentence = language.sentence(UnknownReason[fact["reason"]].title)
        return ConflictsView(UNKNOWN, sentence, (), (), has_failed=True)
    declared = {database.name: database for database in databases}
    severities = [severity.name for severity in ConflictSeverity]
    conflicts = sorted(
        (_conflict(finding, declared, language, writer) for finding in report["findings"] or ()),
        key=lambda pair: severities.index(pair[0]),
    )
    unchecked = tuple(_unchecked(report["unchecked"], language))
    failed = {UnknownReason.DENIED.name, UnknownReason.NOT_OPERATING.name}
    has_failed = any(entry["reason"] not in failed for entry in report["unchecked"])
    if conflicts:
        shape, phrase = "CONFLICT", "conflicts_found"
    elif report["findings"] == [] and not unchecked:
        shape, phrase = NONE, "no_conflicts"
    else:
        shape, phrase = UNKNOWN, "conflicts_unknown"
    views = tuple(conflict for _, conflict in conflicts)
    return ConflictsView(shape, choose(PERSON[phrase]), views, unchecked, has_failed)


def _conflict(
    finding: _Json, declared: Mapping[str, Database], language: Language, writer: ValueWriter
) -> tuple[str, ConflictView]:
    code, severity = ConflictCode[finding["rule"]], ConflictSeverity[finding["severity"]]
    prevails = finding["prevails"]

    def is_prevailing(side: _Json) -> bool:
        return prevails is not None and all(
            side[name] == prevails[name] for name in ("database", "record", "says")
        )

    view = ConflictView(
        code.name,
        language.sentence(code.title),
        language.choose(severity.title),
        tuple(
            _side(side, declared, language, writer, prevails=is_prevailing(side))
            for side in finding["sides"]
        ),
        finding["legalBasis"],
        language.choose(finding["advice"]),
        prevails is not None,
    )
    return severity.name, view


def _side(
    side: _Json,
    declared: Mapping[str, Database],
    language: Language,
    writer: ValueWriter,
    *,
    prevails: bool,
) -> SideView:
    database = declared[side["database"]]
    record = database.by_name[side["record"]]
    says = tuple(
        (
            _capital(column_title(record, column, language)),
            language.choose(PERSON["not_stated"])
            if value == "null"
            else writer.field(column.field, value),
        )
        for column, value in split_statement(record, side["says"])
    )
    return SideView(
        language.sentence(database.title),
        language.choose(database.owner),
        database.contact or "",
        language.sentence(record.title),
        language.moment(side["asOf"]) if side["asOf"] else "",
        says,
        prevails,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unchecked(rules: Sequence[_Json], language: Language) -> Iterator[tuple[str, str]]:
    for rule in rules:
        title = language.sentence(ConflictCode[rule["rule"]].title)
        yield title, language.choose(UnknownReason[rule["reason"]].title)
