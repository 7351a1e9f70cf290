"""From the answer to a check to what its page shows. What is not known is always said in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from typing import Any, get_args, get_type_hints

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coded, Database, Text
from gateway.answer import State
from gateway.derived.view import UnknownReason
from gateway.errors import CODES
from gateway.pages.check_request import inner_kind, select_value
from gateway.pages.languages import Language
from gateway.pages.phrases.frame import FRAME
from gateway.pages.phrases.procedures import PROCEDURES
from gateway.procedures.checks.definition import CheckDefinition, TimeUnit
from gateway.procedures.checks.evaluate import PaperState
from gateway.procedures.checks.rule import Outcome, RuleState

#: An object of an answer.
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition, or a group of them: ``inner`` holds what is in it, ``any_suffices`` how."""

    state: RuleState
    title: str
    sentence: str = ""
    reason: str = ""
    law: str = ""
    evidence: tuple[str, ...] = ()
    any_suffices: bool | None = None
    inner: tuple[ConditionView, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueView:
    """A value with its title. ``inner``: of a struct; ``items``: of a list; ``text``: of a leaf."""

    title: str
    text: str = ""
    inner: tuple[ValueView, ...] = ()
    items: tuple[ValueView, ...] = ()
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class ProblemView:
    """An error of the answer: what happened, in both languages, and of what."""

    code: str
    text: Text
    subject: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the page of a check shows. ``counts``: of the conditions in each state there is."""

    outcome: Outcome
    counts: tuple[tuple[RuleState, int], ...]
    at: str
    facts_as_of: str
    law: tuple[str, ...]
    competent_body: str
    deadline: str
    conditions: tuple[ConditionView, ...]
    to_bring: tuple[tuple[str, PaperState], ...]
    replaced: tuple[tuple[str, str], ...]
    silent: tuple[tuple[str, str, str], ...]
    sources: tuple[tuple[str, State], ...]
    results: tuple[ValueView, ...]
    receipt: str


def view_check(
    definition: CheckDefinition,
    databases: Sequence[Database],
    language: Language,
    answer: _Json,
) -> CheckView:
    """Return what to show of ``checkProcedure`` in an answer."""
    choose, names = language.choose, _RecordNames(databases, language)
    papers = [(paper, PaperState[paper["state"]]) for paper in answer["papers"]]
    moment = answer["factsAsOf"]
    return CheckView(
        outcome=Outcome[answer["outcome"]],
        counts=tuple(Counter(RuleState[rule["state"]] for rule in answer["rules"]).most_common()),
        at=language.day(answer["at"]),
        facts_as_of=language.moment(moment) if moment else "",
        law=tuple(answer["law"]),
        competent_body=language.sentence(answer["competentBody"]),
        deadline=say_deadline(language, answer["deadline"]),
        conditions=_view_conditions(answer, language, names),
        to_bring=tuple(
            (choose(paper["name"]), state)
            for paper, state in papers
            if state is not PaperState.REPLACED
        ),
        replaced=tuple(
            (choose(paper["name"]), "; ".join(map(names.find_record, paper["replacedBy"])))
            for paper, state in papers
            if state is PaperState.REPLACED
        ),
        silent=tuple(
            (choose(database["title"]), choose(database["owner"]), database["contact"] or "")
            for database in answer["silent"]
        ),
        sources=_view_sources(answer["sources"], language),
        results=_view_results(definition, language, answer.get("results") or {}),
        receipt=_view_receipt(answer.get("receipt")),
    )


class _RecordNames:
    """The titles of databases and records, by ``database.record``."""

    def __init__(self, databases: Sequence[Database], language: Language) -> None:
        self._titles = {
            f"{database.name}.{record.name}": (
                language.choose(record.title),
                language.choose(database.title),
            )
            for database in databases
            for record in database.records
        }

    def find(self, name: str) -> str:
        """Return the titles of a record and its database; its name where it is not declared."""
        return ", ".join(self._titles.get(name, (name,)))

    def find_record(self, name: str) -> str:
        """Return the title of a record alone."""
        return self._titles.get(name, (name,))[0]


def say_deadline(language: Language, deadline: _Json | None) -> str:
    """Return a deadline in words. ``deadline``: as answers show it."""
    if deadline is None:
        return language.choose(PROCEDURES["no_deadline"])
    if deadline["amount"] == 0:
        return f"{language.choose(PROCEDURES['at_once'])} ({language.choose(deadline['law'])})"
    unit = language.choose(TimeUnit[deadline["unit"]].title)
    return f"{deadline['amount']} {unit} ({language.choose(deadline['law'])})"


def _view_conditions(
    answer: _Json, language: Language, names: _RecordNames
) -> tuple[ConditionView, ...]:
    """Return the conditions as a tree, in the order in which they are declared."""
    rules, groups = answer["rules"], answer["groups"]
    parents = {group["code"]: group["group"] for group in groups}
    places: dict[str, int] = {}
    for place, rule in enumerate(rules):
        above = rule["group"]
        while above is not None:
            places.setdefault(above, place)
            above = parents[above]

    def below(code: str | None) -> tuple[ConditionView, ...]:
        views = [
            (place, _view_rule(rule, language, names))
            for place, rule in enumerate(rules)
            if rule["group"] == code
        ]
        views += [
            (places[group["code"]], _view_group(group, language, below(group["code"])))
            for group in groups
            if group["group"] == code and group["code"] in places
        ]
        return tuple(view for _, view in sorted(views, key=lambda entry: entry[0]))

    return below(None)


def _view_group(
    group: _Json, language: Language, inner: tuple[ConditionView, ...]
) -> ConditionView:
    return ConditionView(
        RuleState[group["state"]],
        language.sentence(group["title"]),
        any_suffices=group["anySuffices"],
        inner=inner,
    )


def _view_rule(rule: _Json, language: Language, names: _RecordNames) -> ConditionView:
    reason = rule["reason"]
    evidence = dict.fromkeys(
        names.find(f"{basis['database']}.{basis['record']}")
        + (
            f" ({language.choose(FRAME['as_of'])} {language.moment(basis['asOf'])})"
            if basis["asOf"]
            else ""
        )
        for basis in rule["evidence"]
    )
    return ConditionView(
        RuleState[rule["state"]],
        language.sentence(rule["title"]),
        language.choose(rule["sentence"]),
        language.choose(UnknownReason[reason].title) if reason else "",
        language.choose(rule["law"]),
        tuple(evidence),
    )


def _view_sources(sources: Sequence[_Json], language: Language) -> tuple[tuple[str, State], ...]:
    """Return the databases that were asked, each with the worst state of its lists."""
    worst: dict[str, State] = {}
    for source in sources:
        title, state = language.sentence(source["database"]["title"]), State[source["state"]]
        before = worst.get(title)
        if before is None or state.seriousness > before.seriousness:
            worst[title] = state
    return tuple(worst.items())


def _view_results(
    definition: CheckDefinition, language: Language, results: _Json
) -> tuple[ValueView, ...]:
    return tuple(
        view_value(language, result.title, result.kind, results.get(to_camel_case(result.name)))
        for result in definition.results
        if select_value(result.kind) is not None
    )


def view_value(
    language: Language, title: Text, kind: Any, value: Any, *, is_inner: bool = False
) -> ValueView:
    """Return a value of ``kind`` as a page shows it.

    Null is "not known" of a result, and "not stated" of a part of one (``is_inner``).
    """
    name = language.sentence(title).partition("; null")[0]  # what the schema says of null
    if value is None:
        phrase = FRAME["not_stated" if is_inner else "not_known"]
        return ValueView(name, language.choose(phrase), is_known=False)
    if isinstance(value, list):
        if not value:
            return ValueView(name, language.choose(FRAME["none"]))
        items = (view_value(language, title, kind, item, is_inner=True) for item in value)
        return ValueView(name, items=tuple(items))
    kind = inner_kind(kind)
    if kind is not Text and isinstance(kind, type) and is_dataclass(kind):
        return ValueView(name, inner=tuple(_view_parts(language, kind, value)))
    return ValueView(name, _say(language, kind, value))


def _view_parts(language: Language, kind: type, value: _Json) -> list[ValueView]:
    hints = get_type_hints(kind, include_extras=True)
    assert is_dataclass(kind)
    parts = []
    for field in fields(kind):
        hint, title = get_args(hints[field.name])[:2]
        if select_value(hint) is not None:
            part = value.get(to_camel_case(field.name))
            parts.append(view_value(language, title, hint, part, is_inner=True))
    return parts


def _say(language: Language, kind: Any, value: Any) -> str:
    """Return a leaf in words."""
    if isinstance(value, bool):
        return language.choose(FRAME["yes" if value else "no"])
    if kind is Text:
        return language.choose(value)
    if isinstance(kind, type) and issubclass(kind, Coded):
        return language.choose(kind[value].title)
    if kind is datetime:
        return language.moment(value)
    if kind is date:
        return language.day(value)
    text = str(value)
    is_amount = kind is not str and text.replace(".", "", 1).removeprefix("-").isdigit()
    return language.number(text) if is_amount else text


def _view_receipt(receipt: Any) -> str:
    """Return the receipt as text: the signed form, whatever stands beside it."""
    if isinstance(receipt, Mapping):
        texts = [value for value in receipt.values() if isinstance(value, str)]
        return max(texts, key=len, default="")
    return receipt or ""


def view_problems(
    errors: Sequence[_Json], databases: Sequence[Database], language: Language
) -> tuple[ProblemView, ...]:
    """Return the errors of an answer in words, each once."""
    titles = {database.name: language.choose(database.title) for database in databases}
    views = {}
    for error in errors:
        details = error["extensions"]
        title = titles.get(details.get("database", ""), "")
        text = Text(details["messageVi"], error["message"])
        missing = tuple(details.get("missing", ()))
        views[details["code"], title, text] = ProblemView(details["code"], text, title, missing)
    return tuple(views.values())


def view_refusals(errors: Sequence[_Json], language: Language) -> tuple[ProblemView, ...]:
    """Return refusals for people: GraphQL's own words about variables are for programmers."""
    return tuple(
        replace(problem, text=Text(problem.text.vi, CODES[problem.code].en))
        if problem.code == "INVALID_VARIABLES"
        else problem
        for problem in view_problems(errors, (), language)
    )
