"""Selection sets of generated documents, valid by construction.

Every place in the answer has one ``Scope``, which all fragments and repeats share: a response key
that is in it already keeps its field and its arguments, so that everything selected under it can be
merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from graphql import GraphQLBoolean

from gateway.catalogue.checks import CASES
from gateway.catalogue.checks import FIELD as CHECK
from tests.support.arguments import People, Variables, arguments
from tests.support.check_inputs import check_arguments
from tests.support.outline import Choice, Kind, Menu, Outline

_DEEPEST = 12
#: Introspection multiplies: selections of types stay near the root.
_DEEPEST_INTROSPECTION = 4
_NODES = 5
_MOST_FIELDS = 400
_MOST_FRAGMENTS = 5
_ALIASES = (
    "class", "None", "__proto__", "constructor", "self", "p", "r", "f", "def", "k0", "live", "true",
    "null", "on", "_", "b0", "errors", "data", "str", "prototype", "toString", "query", "lambda",
)  # fmt: skip
_TYPENAME = Choice("__typename", None, ())
#: How the names of the types of sections and lists end.
_LISTED = ("Section", "List", "Result")
_SPREAD = re.compile(r"\.\.\.(\w+)")


@dataclass(slots=True)
class Entry:
    """The field of a response key. ``nodes``: how often it is selected."""

    choice: Choice
    arguments: str
    nodes: int
    below: Scope | None


@dataclass(slots=True)
class Scope:
    """A place in the answer, or a fragment: its type and its selected fields."""

    kind: str
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """The number of levels of fields."""
        below = (entry.below.height for entry in self.entries.values() if entry.below is not None)
        return 1 + max(below, default=0)

    @property
    def nodes(self) -> int:
        """The number of fields, counting repeats."""
        below = (entry.below.nodes for entry in self.entries.values() if entry.below is not None)
        return sum(entry.nodes for entry in self.entries.values()) + sum(below)

    def accepts(self, other: Scope) -> bool:
        """Whether everything selected in ``other`` can be selected here too."""
        for key, other_entry in other.entries.items():
            entry = self.entries.get(key)
            if entry is None:
                continue
            if (entry.choice.name, entry.arguments) != (
                other_entry.choice.name,
                other_entry.arguments,
            ):
                return False
            if entry.nodes + other_entry.nodes > _NODES:
                return False
            if entry.below and other_entry.below and not entry.below.accepts(other_entry.below):
                return False
        return True

    def merge(self, other: Scope) -> None:
        """Add the selections of ``other``."""
        for key, other_entry in other.entries.items():
            below = None if other_entry.below is None else Scope(other_entry.below.kind)
            entry = self.entries.setdefault(
                key, Entry(other_entry.choice, other_entry.arguments, 0, below)
            )
            entry.nodes += other_entry.nodes
            if entry.below is not None and other_entry.below is not None:
                entry.below.merge(other_entry.below)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named fragment. ``scope`` is None if it is valid only where it was created."""

    name: str
    on: str
    body: str
    scope: Scope | None

    @property
    def text(self) -> str:
        """The definition of the fragment in the document."""
        return f"fragment {self.name} on {self.on} {{ {self.body} }}"


@dataclass(slots=True)
class Writer:
    """A document while it is generated. ``fields``, ``aliases``, ``directives``: what is left.

    ``needed``: the sections and lists that are mostly selected; None: no matter which.
    """

    rng: Random
    outline: Outline
    variables: Variables
    people: People
    own_view_share: float
    check_share: float
    needed: frozenset[str] | None
    fields: int
    separator: str = " "
    aliases: int = 26
    directives: int = 26
    expanded: int = 0
    fragments: dict[str, Fragment] = field(default_factory=dict)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share


def spread_in(text: str) -> set[str]:
    """Return the names of the fragments that ``text`` spreads."""
    return set(_SPREAD.findall(text))


def selection(w: Writer, scope: Scope, depth: int, nested: int = 0) -> str:
    """Return the text of a selection at ``scope``, ``depth`` levels down; never empty.

    ``nested``: the number of inline fragments around it.
    """
    kind = w.outline.kinds[scope.kind]
    count = min(1 + int(w.rng.expovariate(1 / kind.size)), 10, max(1, w.fields))
    parts = []
    for place in range(count):
        menu = kind.later if place or scope.entries else kind.first
        free = nested < 2 and w.fields > 0 and (menu is kind.later or w.chance(0.15))
        way = w.rng.choices(_WAYS, _SHARES)[0] if free else _field
        parts.append(way(w, scope, kind, menu, depth, nested))
        if not parts[0]:
            parts = [_field(w, scope, kind, menu, depth, nested)]
    return w.separator.join(part for part in parts if part) or _typename(w, scope)


def _typename(w: Writer, scope: Scope) -> str:
    key = "__typename"
    while key in scope.entries and scope.entries[key].nodes >= _NODES:
        key = f"t{len(scope.entries)}"
    entry = scope.entries.setdefault(key, Entry(_TYPENAME, "", 0, None))
    return _node(w, entry, key, _DEEPEST)


def _field(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Select a field, with or without an alias."""
    chosen = _entry(w, scope, kind, _choose(w, kind, menu, depth))
    return _node(w, chosen[1], chosen[0], depth) if chosen else ""


def _choose(w: Writer, kind: Kind, menu: Menu, depth: int) -> Choice | None:
    """Return a field whose selection does not exceed the limits below ``depth``."""
    if w.chance(0.05 if menu is kind.later else 0.004):
        return _TYPENAME
    choice = (_choose_root(w) if kind.name == "Query" else None) or _pick(w, menu)
    if choice is None or choice.below is None:
        return choice
    levels_left = _deepest(kind.name) - depth
    needed = w.outline.kinds[choice.below].least
    is_deep_enough = levels_left >= needed or (levels_left >= 1 and w.chance(0.1))
    if is_deep_enough and w.expanded < _MOST_FIELDS and (w.fields > 0 or menu is kind.first):
        return choice
    return w.rng.choice(kind.leaves) if kind.leaves else None


def _choose_root(w: Writer) -> Choice | None:
    """Return a root field that this caller gets an answer from; None: whichever."""
    if w.chance(w.own_view_share):
        return w.outline.me
    if not w.outline.checks or not w.chance(w.check_share):
        return None
    return w.outline.checks[0 if w.chance(0.8) else -1]


def _pick(w: Writer, menu: Menu) -> Choice | None:
    """Return a field of a menu; of sections and lists mostly one that is needed."""
    choice = menu.pick(w.rng)
    if w.needed is None or w.chance(0.15):
        return choice
    for _ in range(6):
        below = "" if choice is None else choice.below or ""
        if not below.endswith(_LISTED) or choice is None or choice.name in w.needed:
            break
        choice = menu.pick(w.rng)
    return choice


def _deepest(kind: str) -> int:
    return _DEEPEST_INTROSPECTION if kind.startswith("__") else _DEEPEST


def _entry(w: Writer, scope: Scope, kind: Kind, choice: Choice | None) -> tuple[str, Entry] | None:
    """Return a response key for ``choice`` and its entry, None if no key is free."""
    if choice is None:
        return None
    key = _key(w, scope, kind, choice)
    if key is None:
        return None
    if key not in scope.entries:
        below = None if choice.below is None else Scope(choice.below)
        text = _arguments(w, choice)
        scope.entries[key] = Entry(choice, text, 0, below)
    return key, scope.entries[key]


def _arguments(w: Writer, choice: Choice) -> str:
    if choice.name not in {CHECK, CASES}:
        return arguments(w.variables, w.people, choice)
    parts = list(check_arguments(w.variables, w.people, choice.arguments))
    w.rng.shuffle(parts)
    return f"({', '.join(parts)})"


def _key(w: Writer, scope: Scope, kind: Kind, choice: Choice) -> str | None:
    entry = scope.entries.get(choice.name)
    if w.aliases > 4 and w.chance(0.6 if entry and choice.arguments else 0.1):
        alias = w.rng.choice(_ALIASES if w.chance(0.7) else kind.names)
        if _free(scope, alias, choice):
            return alias
    return choice.name if _free(scope, choice.name, choice) else None


def _free(scope: Scope, key: str, choice: Choice) -> bool:
    entry = scope.entries.get(key)
    return entry is None or (entry.choice.name == choice.name and entry.nodes < _NODES)


def _node(w: Writer, entry: Entry, key: str, depth: int) -> str:
    """Return the text of a field, with a selection below it."""
    entry.nodes += 1
    w.fields -= 1
    w.expanded += 1
    aliased = key != entry.choice.name or (w.aliases > 4 and w.chance(0.01))
    w.aliases -= aliased
    head = f"{key}: {entry.choice.name}" if aliased else key
    head += entry.arguments + _directives(w, 0.02 if depth < 4 else 0.05)
    if entry.below is None:
        return head
    return f"{head} {{ {selection(w, entry.below, depth + 1)} }}"


def _repeat(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Select a response key again."""
    repeatable = [key for key, entry in scope.entries.items() if entry.nodes < _NODES]
    if not repeatable or w.aliases < 4:
        return ""
    key = w.rng.choice(repeatable)
    return _node(w, scope.entries[key], key, depth)


def _inline(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    on = f" on {scope.kind}" if w.chance(0.6) else ""
    directives = _directives(w, 0.5 if depth > 3 else 0.25)
    return f"...{on}{directives} {{ {selection(w, scope, depth, nested + 1)} }}"


def _spread(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Spread an existing fragment or a new one."""
    fitting = [
        fragment for fragment in w.fragments.values() if _is_spreadable(w, fragment, scope, depth)
    ]
    if fitting and w.chance(0.8):
        return _spread_of(w, scope, w.rng.choice(fitting))
    if len(w.fragments) >= _MOST_FRAGMENTS:
        return ""
    inner = Scope(scope.kind)
    body = selection(w, inner, depth, nested + 1)
    fragment = _new_fragment(w, scope.kind, body, inner)
    return _spread_of(w, scope, fragment) if _is_spreadable(w, fragment, scope, depth) else ""


def _is_spreadable(w: Writer, fragment: Fragment, scope: Scope, depth: int) -> bool:
    """Whether ``fragment`` can be spread at ``scope`` with everything it selects."""
    inner = fragment.scope
    if inner is None or inner.kind != scope.kind:
        return False
    if depth + inner.height - 1 > _deepest(scope.kind):
        return False
    return w.expanded + inner.nodes <= _MOST_FIELDS and scope.accepts(inner)


def _spread_of(w: Writer, scope: Scope, fragment: Fragment) -> str:
    assert fragment.scope is not None
    scope.merge(fragment.scope)
    w.expanded += fragment.scope.nodes
    return f"...{fragment.name}{_directives(w, 0.15)}"


def _new_fragment(w: Writer, on: str, body: str, scope: Scope | None) -> Fragment:
    name = w.rng.choice(("F", on, "f", "class", "None", "fragment"))
    while name in w.fragments:
        name = f"{name}{len(w.fragments)}"
    w.fragments[name] = Fragment(name, on, body, scope)
    return w.fragments[name]


def _opposites(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Select a response key in two fragments, of which none, one or both are included."""
    if w.directives < 6:
        return ""
    chosen = _entry(w, scope, kind, _choose(w, kind, menu, depth))
    if chosen is None or chosen[1].nodes > 1:
        return ""
    key, entry = chosen
    first_body, second_body = (_node(w, entry, key, depth) for _ in range(2))
    condition = _condition(w, w.chance(0.5))
    first, second = w.rng.choice((("include", "skip"), ("skip", "include"), ("skip", "skip")))
    w.directives -= 2
    return w.separator.join(
        (
            _conditional(w, scope.kind, first_body, f" @{first}(if: {condition})"),
            _conditional(w, scope.kind, second_body, f" @{second}(if: {condition})"),
        )
    )


def _conditional(w: Writer, on: str, body: str, directive: str) -> str:
    """Put ``body`` into a separate fragment under ``directive``."""
    if w.chance(0.4) and len(w.fragments) < 2 * _MOST_FRAGMENTS:
        return f"...{_new_fragment(w, on, body, None).name}{directive}"
    return f"... on {on}{directive} {{ {body} }}"


def _condition(w: Writer, value: bool) -> str:
    if w.chance(0.4):
        return str(value).lower()
    return str(w.variables.ref(GraphQLBoolean, True, False, value))


def _directives(w: Writer, share: float) -> str:
    """Return directives that mostly include the selection; mostly none at all."""
    if w.directives < 4 or not w.chance(share):
        return ""
    names = w.rng.choice((("include",), ("skip",), ("include", "skip"), ("skip", "include")))
    w.directives -= len(names)
    conditions = ((name, w.chance(0.87) is (name == "include")) for name in names)
    return "".join(f" @{name}(if: {_condition(w, value)})" for name, value in conditions)


_Way = Callable[[Writer, Scope, Kind, Menu, int, int], str]
_WAYS: tuple[_Way, ...] = (_field, _repeat, _inline, _spread, _opposites)
_SHARES = (84, 4, 5, 5, 2)
