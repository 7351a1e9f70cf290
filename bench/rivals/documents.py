"""The documents of all workloads in both schemas, and answers in comparable form.

A document is a selection in the rivals' words, list by list and leaf by leaf; the pairs in
``tables`` lead to the same in ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.rivals.tables import CODES, LEAVES, W3

_REPORT = "source { state fetchedAt fromCache }"
_COLLATERALS = "collaterals"

_Tree = dict[str, "_Tree"]


@dataclass(frozen=True, slots=True)
class Document:
    """An operation about one person, or about ``people`` of them.

    ``leaves_by_list``: what is selected, in the rivals' words; ``collaterals`` comes with all its
    leaves.
    """

    name: str
    leaves_by_list: Mapping[str, Iterable[str]]
    people: int | None = None

    @property
    def gateway_text(self) -> str:
        """The document in our schema, with the report of each source."""
        if self.people is None:
            head = f"query {self.name}($id: PersonNumber!) {{ person(id: $id)"
        else:
            head = f"query {self.name}($ids: [PersonNumber!]!) {{ persons(ids: $ids)"
        return f"{head} {{ id {self._sections()} }} }}"

    @property
    def rival_text(self) -> str:
        """The document in the rivals' schema."""
        lists = []
        for name, leaves in self.leaves_by_list.items():
            texts = [_with_collaterals(leaf) for leaf in leaves]
            lists.append(f"{name} {{ {' '.join(texts)} }}")
        if self.people is None:
            head = f"query {self.name}($id: ID!) {{ person(id: $id)"
        else:
            head = f"query {self.name}($ids: [ID!]!) {{ persons(ids: $ids)"
        return f"{head} {{ id {' '.join(lists)} }} }}"

    def variables(self, *numbers: str) -> dict[str, object]:
        """Return the variables of a request about ``numbers``."""
        return {"id": numbers[0]} if self.people is None else {"ids": list(numbers)}

    def comparable(self, data: Mapping[str, Any], *, is_gateway: bool) -> Any:
        """Return an answer's data in the form in which those of all servers are equal."""
        people = [data["person"]] if self.people is None else data["persons"]
        if is_gateway:
            people = [self._as_rival_answer(person) for person in people]
        return [_in_order(person) for person in people]

    def _sections(self) -> str:
        sections: dict[str, list[str]] = {}
        for name, leaves in self.leaves_by_list.items():
            path, paths_by_leaf = LEAVES[name]
            section, field, rows, *_ = path.split(".")
            inner = f"{rows} {{ {_select(paths_by_leaf[leaf] for leaf in leaves)} }} {_REPORT}"
            sections.setdefault(section, []).append(f"{field} {{ {inner} }}")
        return " ".join(f"{name} {{ {' '.join(lists)} }}" for name, lists in sections.items())

    def _as_rival_answer(self, person: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": person["id"]}
        for name, leaves in self.leaves_by_list.items():
            path, paths_by_leaf = LEAVES[name]
            paths = {leaf: paths_by_leaf[leaf] for leaf in leaves}
            rows = _at(person, path)
            if isinstance(rows, list):
                answer[name] = [_row(name, row, paths) for row in rows]
            else:
                answer[name] = None if rows is None else _row(name, rows, paths)
        return answer


def _every_leaf(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(LEAVES[name][1]) for name in names}


_LISTS = tuple(name for name in LEAVES if name != _COLLATERALS)
_NAMES = {"identity": ("lastName", "firstName", "birthDate")}

#: One person out of seven databases, and many people out of three: the rivals' W1 and W3.
W1_DOCUMENT = Document("W1", _every_leaf(*_LISTS))
W3_DOCUMENT = Document("W3", W3, people=50)
#: The smallest answer that somebody would ask for.
TINY = Document("Tiny", _NAMES)
#: Asks for nothing of ``SLOW_DATABASE``, which W1 does.
WITHOUT_SLOW = Document("WithoutSlow", _every_leaf("identity", "violations"))
SLOW_DATABASE = "civil_enforcement"

#: Ten operations as an office has them open at the same time.
MIXED = (
    Document("Identity", _every_leaf("identity")),
    Document("Names", _NAMES, people=10),
    Document("Family", {**_NAMES, **_every_leaf("birth", "marriages")}),
    Document("Death", {**_NAMES, **_every_leaf("death")}),
    Document("Collateral", _every_leaf("securityRegistrations")),
    Document("LegalAid", {**_NAMES, **_every_leaf("legalAid")}),
    Document("Debts", _every_leaf("enforcement", "violations")),
    Document("Fines", {name: W3[name] for name in ("identity", "violations")}, people=5),
    Document("Contracts", {**_NAMES, **_every_leaf("notaryContracts")}),
    Document("Everything", _every_leaf(*_LISTS)),
)


def persons(people: int) -> Document:
    """Return W3 about another number of people."""
    return Document(f"Persons{people}", W3, people)


def different_documents(count: int, seed: int = 5) -> Iterator[Document]:
    """Yield documents about one person that select some leaves of one to three lists."""
    draw = random.Random(seed)
    for number in range(count):
        names = draw.sample(_LISTS, draw.randint(1, 3))
        leaves = {name: tuple(LEAVES[name][1]) for name in names}
        chosen = {
            name: draw.sample(every, draw.randint(1, len(every))) for name, every in leaves.items()
        }
        yield Document(f"Different{number}", chosen)


def _with_collaterals(leaf: str) -> str:
    if leaf != _COLLATERALS:
        return leaf
    return f"{leaf} {{ {' '.join(LEAVES[_COLLATERALS][1])} }}"


def _select(paths: Iterable[str]) -> str:
    tree: _Tree = {}
    for path in paths:
        if path == "collateral.items":
            inner = _select(LEAVES[_COLLATERALS][1].values())
            tree[f"collateral {{ items {{ {inner} }} {_REPORT} }}"] = {}
            continue
        branch = tree
        for step in path.split("."):
            branch = branch.setdefault(step, {})
    return _as_text(tree)


def _as_text(tree: _Tree) -> str:
    return " ".join(
        f"{name} {{ {_as_text(below)} }}" if below else name for name, below in tree.items()
    )


def _row(name: str, row: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for leaf, path in paths.items():
        value = _at(row, path)
        if leaf == _COLLATERALS:
            value = [_row(_COLLATERALS, item, LEAVES[_COLLATERALS][1]) for item in value]
        answer[leaf] = CODES.get((name, leaf), {}).get(str(value), value)
    return answer


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if value is None:
            return None
        if isinstance(value, list):
            value = value[int(step)] if len(value) > int(step) else None
        else:
            value = value[step]
    return value


def _in_order(value: Any) -> Any:
    """Return an answer with its lists sorted, since each gateway has another order."""
    if isinstance(value, dict):
        return {name: _in_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((_in_order(item) for item in value), key=repr)
    return value
