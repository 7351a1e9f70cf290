"""From answers about a person to what a page shows. What is not known is never shown as none.

A list says "none recorded" in a single case: it is there, empty, complete, and its state is
ANSWERED. In every other case where no record stands, the page says why that is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from connectors.description import Text
from gateway.answer import STATE_MESSAGES, Identification, State
from gateway.derived.conflicts import ConflictReport
from gateway.derived.family import Kinship, PersonFamily
from gateway.derived.view import UnknownReason
from gateway.pages.check_view import ValueView, view_value
from gateway.pages.coverage_view import view_coverage
from gateway.pages.languages import Language
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.records import (
    RecordField,
    ValueWriter,
    column_title,
    head_record,
    view_fields,
)
from gateway.pages.person.selection import (
    ChosenFact,
    ChosenList,
    ChosenRegister,
    PersonSelection,
)
from gateway.pages.phrases.frame import FRAME
from gateway.pages.phrases.person import PERSON

_Json = Mapping[str, Any]
#: The shape of a list that says "none", and of a fact or list that is not known.
NONE, UNKNOWN = "NONE", "UNKNOWN"
#: States in which nothing failed: the answer is what it can be for this caller.
_REGULAR = frozenset({State.ANSWERED, State.DENIED, State.WITHHELD, State.NOT_OPERATING})


@dataclass(frozen=True, slots=True)
class RecordCard:
    """A record. ``head``: its date and status; ``empty``: titles of what it does not state."""

    head: tuple[str, ...]
    fields: tuple[RecordField, ...]
    empty: tuple[str, ...]
    lists: tuple[ListView, ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """A list. ``place``: by which more of it is asked for; ``shape``: of its badge.

    ``word``: what the badge says; ``sentence``: why something is not known. ``as_of``: the
    source's own word, ``read_at``: when it was asked. ``missing``: scopes and purposes; ``closed``:
    titles of fields that may not be seen. ``coverage``: within what "none" holds. ``cursor``: where
    the next page begins; ``is_cut``: there are more records than any page can show.
    ``has_failed``: something that could be there is not, for lack of an answer.
    """

    place: str
    title: str
    shape: str
    word: str
    sentence: str = ""
    as_of: str = ""
    read_at: str = ""
    missing: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()
    records: tuple[RecordCard, ...] = ()
    problems: tuple[str, ...] = ()
    cursor: str = ""
    is_cut: bool = False
    has_failed: bool = False

    @property
    def basis(self) -> str:
        """On what "none" rests, to say it once for several lists."""
        return "\n".join((*self.coverage, self.as_of, self.read_at))


@dataclass(frozen=True, slots=True)
class GroupView:
    """Relatives of one kind. ``more``: why there may be others, empty where there are not."""

    title: str
    names: tuple[str, ...]
    more: str


@dataclass(frozen=True, slots=True)
class FactView:
    """What follows from records. ``value``: None where it is not known.

    ``word``: in a word, that it is not known, or not wholly; ``sentence``: why.
    """

    title: str
    shape: str
    value: ValueView | None = None
    groups: tuple[GroupView, ...] = ()
    sentence: str = ""
    missing: tuple[str, ...] = ()
    has_failed: bool = False
    word: str = ""


@dataclass(frozen=True, slots=True)
class RegisterView:
    """A database's part. ``owner`` and ``contact``: whom to call; ``since``: the last attempt."""

    name: str
    title: str
    owner: str
    contact: str
    lists: tuple[ListView, ...]
    facts: tuple[FactView, ...]
    legal_basis: tuple[str, ...]

    @property
    def failed(self) -> tuple[ListView | FactView, ...]:
        """The lists and facts that did not wholly answer."""
        lists = (record_list for record_list in self.lists if record_list.has_failed)
        return (*lists, *(fact for fact in self.facts if fact.has_failed))

    @property
    def attempted_at(self) -> str:
        """When a list that failed was asked; empty where it was not."""
        return next(
            (
                record_list.read_at
                for record_list in self.lists
                if record_list.has_failed and record_list.read_at
            ),
            "",
        )


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What must not be missed. ``is_unknown``: it could not be found out."""

    text: str
    detail: str
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """The whole view. ``number``: the present one, empty where none is known."""

    number: str
    requested: str
    identification: Identification
    notices: tuple[NoticeView, ...]
    problems: tuple[str, ...]
    registers: tuple[RegisterView, ...]
    facts: tuple[FactView, ...]

    @property
    def failed(self) -> tuple[RegisterView, ...]:
        """The databases that did not wholly answer."""
        return tuple(register for register in self.registers if register.failed)

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked is answered."""
        return (
            not self.failed
            and not any(fact.has_failed for fact in self.facts)
            and self.identification.is_complete
        )

    @property
    def closed(self) -> int:
        """How many lists and facts this caller may not see."""
        shapes = {State.DENIED.name, State.WITHHELD.name}
        lists = [record_list for register in self.registers for record_list in register.lists]
        return sum(record_list.shape in shapes for record_list in lists) + sum(
            fact.shape in shapes for fact in self.facts
        )


@dataclass(frozen=True, slots=True)
class PersonViewer:
    """Makes views of what was answered about a person, in a language."""

    language: Language
    answer: JoinedAnswer
    writer: ValueWriter

    def view_head(self) -> PersonView:
        """Return who the person is, without their lists and facts."""
        return self.view(PersonSelection(False, (), ()))

    def view(self, selection: PersonSelection) -> PersonView:
        """Return the whole view of ``selection``."""
        person, choose = self.answer.person, self.language.choose
        return PersonView(
            person.get("id") or "",
            person["askedAs"],
            Identification[person["identification"]],
            tuple(self._notice(notice) for notice in person["notices"]),
            tuple(
                dict.fromkeys(
                    choose(_text(error)) for error in self.answer.errors if not error["path"]
                )
            ),
            tuple(self._register(register) for register in selection.registers),
            tuple(
                self.fact_view(fact, (fact.name,))
                for fact in selection.facts
                if fact.view.value is not ConflictReport
            ),
        )

    def _notice(self, notice: _Json) -> NoticeView:
        reason = notice["reason"]
        detail = notice["detail"] or ""
        if reason:
            detail = self.language.choose(State[reason].title)
        elif detail:
            detail = self.language.day(detail) if len(detail) == len("2026-11-30") else detail
        return NoticeView(self.language.sentence(notice["message"]), detail, bool(reason))

    def _register(self, register: ChosenRegister) -> RegisterView:
        database = register.database
        return RegisterView(
            register.name,
            self.language.sentence(database.title),
            self.language.choose(database.owner),
            database.contact or "",
            tuple(self.list_view(register, record_list) for record_list in register.lists),
            tuple(self.fact_view(fact, (register.name, fact.name)) for fact in register.facts),
            database.legal_basis,
        )

    def list_view(
        self, register: ChosenRegister, chosen: ChosenList, *, is_continued: bool = False
    ) -> ListView:
        """Return a list of a person. ``is_continued``: it begins behind records shown before."""
        place = (register.name, chosen.name)
        if chosen.is_denied:
            return self._denied(chosen, ".".join(place))
        section = self.answer.person.get(register.name) or {}
        lost = self.answer.lost.get(place)
        errors = [error for error in self.answer.errors if tuple(error["path"][:2]) == place]
        value = section.get(chosen.name)
        if lost is not None or value is None:
            return self._lost(chosen, ".".join(place), [lost] if lost else errors)
        return self._list(chosen, ".".join(place), value, errors, is_continued=is_continued)

    def _denied(self, chosen: ChosenList, place: str, missing: Sequence[str] = ()) -> ListView:
        return ListView(
            place,
            self.language.sentence(chosen.lookup.title),
            State.DENIED.name,
            self.language.sentence(State.DENIED.title),
            self.language.choose(PERSON["denied_list"]),
            missing=tuple(missing or chosen.missing),
        )

    def _lost(self, chosen: ChosenList, place: str, errors: Sequence[_Json]) -> ListView:
        """Return a list that was not answered at all."""
        why = [self.language.choose(_text(error)) for error in errors]
        return ListView(
            place,
            self.language.sentence(chosen.lookup.title),
            UNKNOWN,
            self.language.sentence(PERSON["not_answered"]),
            " ".join(dict.fromkeys(why)) or self.language.choose(PERSON["not_answered_says"]),
            has_failed=True,
        )

    def _list(
        self,
        chosen: ChosenList,
        place: str,
        value: _Json,
        errors: Sequence[_Json] = (),
        *,
        is_continued: bool = False,
    ) -> ListView:
        choose, source = self.language.choose, value["source"]
        state = State[source["state"]]
        items, is_none = self._items(chosen, value)
        is_none = is_none and not is_continued
        is_part = is_continued or bool(value.get("truncated") or value.get("nextCursor"))
        missing = [scope for error in errors for scope in error["extensions"].get("missing", ())]
        if state is State.DENIED:
            return self._denied(chosen, place, missing)
        is_known = state is State.ANSWERED and items is not None
        message = source["message"] or STATE_MESSAGES.get(state)
        if is_none:
            shape, word = NONE, self.language.sentence(PERSON["none_recorded"])
        elif items:
            shape = state.name
            word = f"{len(items)} {choose(PERSON['record' if len(items) == 1 else 'records'])}"
            if is_part:
                word = f"{word} {choose(PERSON['here'])}"
            if state is not State.ANSWERED:
                word = f"{word}, {choose(state.title)}"
        else:
            shape = UNKNOWN if state is State.ANSWERED else state.name
            word = self.language.sentence(PERSON["not_known"])
            if state is not State.ANSWERED:
                word = f"{word}: {choose(state.title)}"
            if state in _REGULAR - {State.ANSWERED}:
                word = self.language.sentence(state.title)
        cards = tuple(self._card(chosen, item) for item in items or ())
        problems = dict.fromkeys(choose(_text(error)) for error in errors)
        return ListView(
            place,
            self.language.sentence(chosen.lookup.title),
            shape,
            word,
            choose(message) if message and not is_known else "",
            self.language.moment(source["asOf"]) if source["asOf"] else "",
            self.language.moment(source["fetchedAt"]) if source["fetchedAt"] else "",
            chosen.missing if chosen.closed else (),
            tuple(column_title(chosen.record, column, self.language) for column in chosen.closed),
            tuple(view_coverage(chosen.coverage, self.language)) if is_none else (),
            cards,
            tuple(problem for problem in problems if not message or problem != choose(message)),
            value.get("nextCursor") or "",
            bool(value.get("truncated")) and not value.get("nextCursor"),
            (not is_known and state not in _REGULAR)
            or any(inner.has_failed for card in cards for inner in card.lists),
        )

    def _items(self, chosen: ChosenList, value: _Json) -> tuple[list[_Json] | None, bool]:
        """Return the records, None where they are not known; and whether there are none."""
        is_answered = value["source"]["state"] == State.ANSWERED.name
        if chosen.record.single:
            item, exists = value["item"], value["exists"]
            if item is not None:
                return [item], False
            return (None, False) if exists is not False else ([], is_answered)
        items = value["items"]
        is_whole = not value["truncated"] and not value["nextCursor"]
        return items, items == [] and is_answered and is_whole

    def _card(self, chosen: ChosenList, item: _Json) -> RecordCard:
        fields, empty = view_fields(chosen.columns, item, chosen.record, self.writer)
        lists = []
        for inner in chosen.inner:
            value = item.get(inner.name)
            if inner.is_denied:
                lists.append(self._denied(inner, ""))
            elif value is None:
                lists.append(self._lost(inner, "", ()))
            else:
                lists.append(self._list(inner, "", value))
        return RecordCard(head_record(chosen, item, self.writer), fields, empty, tuple(lists))

    def fact_view(self, fact: ChosenFact, place: tuple[str, ...]) -> FactView:
        """Return what follows from records, at ``place`` of the answer."""
        title = self.language.sentence(fact.view.title)
        if fact.missing:
            sentence = self.language.choose(PERSON["denied_fact"])
            return FactView(title, State.DENIED.name, sentence=sentence, missing=fact.missing)
        unknown = self.language.choose(PERSON["fact_unknown"])
        value: Any = self.answer.person
        for name in place:
            value = (value or {}).get(name)
        lost = self.answer.lost.get(place)
        if value is None:
            text = _text(lost) if lost else PERSON["not_answered_says"]
            sentence = self.language.choose(text)
            return FactView(title, UNKNOWN, sentence=sentence, has_failed=True, word=unknown)
        state = State[value["state"] if "state" in value else value["source"]["state"]]
        reason = value.get("reason")
        content = value["value"]
        if content is None:
            text = UnknownReason[reason].title if reason else state.title
            sentence = self.language.sentence(text)
            return FactView(
                title,
                UNKNOWN,
                sentence=sentence,
                has_failed=state not in _REGULAR,
                word=unknown,
            )
        word = self.language.choose(state.title)
        has_failed = state not in _REGULAR
        if fact.view.value is PersonFamily:
            groups = tuple(self._groups(content))
            return FactView(title, state.name, None, groups, has_failed=has_failed, word=word)
        shown = view_value(self.language, fact.view.title, fact.view.value, content)
        return FactView(title, state.name, shown, has_failed=has_failed, word=word)

    def _groups(self, family: _Json) -> Iterator[GroupView]:
        hints = get_type_hints(PersonFamily, include_extras=True)
        choose = self.language.choose
        for name, hint in hints.items():
            group, title = family[name], get_args(hint)[1]
            items, reason = group["items"], group["reason"]
            names = tuple(
                f"{item['name'] or choose(FRAME['not_stated'])} "
                f"({choose(Kinship[item['kinship']].title)})"
                for item in items or ()
            )
            more = ""
            if reason is not None:
                may = PERSON["may_be_others" if names else "relatives_unknown"]
                more = f"{choose(may)}: {choose(UnknownReason[reason].title)}"
            elif items is None:
                more = choose(PERSON["relatives_unknown"])
            yield GroupView(self.language.sentence(title), names, more)


def _text(error: _Json) -> Text:
    """Return what an error says, in both languages."""
    return Text(error["extensions"].get("messageVi", error["message"]), error["message"])
