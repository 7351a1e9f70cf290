"""Selection sets of generated documents, valid by construction.

Every place in the answer has one ``Scope``, whatever fragments and repeats lead there: a response
key that is in it already keeps its field and its arguments, so that all that is selected under it
can be merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from graphql import GraphQLBoolean

from tests.support.arguments import People, Variables, arguments
from tests.support.outline import Choice, Kind, Menu, Outline

_DEEPEST = 12
#: Introspection multiplies: what is asked about types stays near the root.
_DEEPEST_INTROSPECTION = 4
_NODES = 5
_MOST_FIELDS = 400
_MOST_FRAGMENTS = 5
_ALIASES = (
    "class", "None", "__proto__", "constructor", "self", "p", "r", "f", "def", "k0", "live", "true",
    "null", "on", "_", "b0", "errors", "data", "str", "prototype", "toString", "query", "lambda",
)  # fmt: skip
_TYPENAME = Choice("__typename", None, ())
_SPREAD = re.compile(r"\.\.\.(\w+)")


@dataclass(slots=True)
class Entry:
    """What a response key stands for. ``nodes``: how often it is selected."""

    choice: Choice
    arguments: str
    nodes: int
    below: Scope | None


@dataclass(slots=True)
class Scope:
    """One place in the answer, or a fragment: its type and what is selected there."""

    kind: str
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """How many levels of fields there are."""
        below = (one.below.height for one in self.entries.values() if one.below is not None)
        return 1 + max(below, default=0)

    @property
    def nodes(self) -> int:
        """How many fields there are, repeats counted."""
        below = (one.below.nodes for one in self.entries.values() if one.below is not None)
        return sum(one.nodes for one in self.entries.values()) + sum(below)

    def takes(self, other: Scope) -> bool:
        """Say whether all that is selected in ``other`` can be selected here too."""
        for key, theirs in other.entries.items():
            own = self.entries.get(key)
            if own is None:
                continue
            if (own.choice.name, own.arguments) != (theirs.choice.name, theirs.arguments):
                return False
            if own.nodes + theirs.nodes > _NODES:
                return False
            if own.below and theirs.below and not own.below.takes(theirs.below):
                return False
        return True

    def take(self, other: Scope) -> None:
        """Add what is selected in ``other``."""
        for key, theirs in other.entries.items():
            below = None if theirs.below is None else Scope(theirs.below.kind)
            own = self.entries.setdefault(key, Entry(theirs.choice, theirs.arguments, 0, below))
            own.nodes += theirs.nodes
            if own.below is not None and theirs.below is not None:
                own.below.take(theirs.below)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named fragment. ``scope`` is None for one that only fits where it was made."""

    name: str
    on: str
    body: str
    scope: Scope | None

    @property
    def text(self) -> str:
        """The fragment as it stands in the document."""
        return f"fragment {self.name} on {self.on} {{ {self.body} }}"


@dataclass(slots=True)
class Writer:
    """A document in the making. ``fields``, ``aliases``, ``directives``: how many are left."""

    rng: Random
    outline: Outline
    variables: Variables
    people: People
    own: float
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
    """Return what is selected at ``scope``, ``depth`` levels down; never empty.

    ``nested``: how many inline fragments there are around it.
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
    """Select a field, under its own name or another."""
    found = _entry(w, scope, kind, _choose(w, kind, menu, depth))
    return _node(w, found[1], found[0], depth) if found else ""


def _choose(w: Writer, kind: Kind, menu: Menu, depth: int) -> Choice | None:
    """Return a field that there is room for below ``depth``."""
    if w.chance(0.05 if menu is kind.later else 0.004):
        return _TYPENAME
    choice = w.outline.me if kind.name == "Query" and w.chance(w.own) else menu.pick(w.rng)
    if choice is None or choice.below is None:
        return choice
    left = _deepest(kind.name) - depth
    needed = w.outline.kinds[choice.below].least
    enough = left >= needed or (left >= 1 and w.chance(0.1))
    if enough and w.expanded < _MOST_FIELDS and (w.fields > 0 or menu is kind.first):
        return choice
    return w.rng.choice(kind.leaves) if kind.leaves else None


def _deepest(kind: str) -> int:
    return _DEEPEST_INTROSPECTION if kind.startswith("__") else _DEEPEST


def _entry(w: Writer, scope: Scope, kind: Kind, choice: Choice | None) -> tuple[str, Entry] | None:
    """Return a response key for ``choice`` and what it stands for, None where there is no room."""
    if choice is None:
        return None
    key = _key(w, scope, kind, choice)
    if key is None:
        return None
    if key not in scope.entries:
        below = None if choice.below is None else Scope(choice.below)
        given = arguments(w.variables, w.people, choice)
        scope.entries[key] = Entry(choice, given, 0, below)
    return key, scope.entries[key]


def _key(w: Writer, scope: Scope, kind: Kind, choice: Choice) -> str | None:
    known = scope.entries.get(choice.name)
    if w.aliases > 4 and w.chance(0.6 if known and choice.arguments else 0.1):
        alias = w.rng.choice(_ALIASES if w.chance(0.7) else kind.names)
        if _free(scope, alias, choice):
            return alias
    return choice.name if _free(scope, choice.name, choice) else None


def _free(scope: Scope, key: str, choice: Choice) -> bool:
    known = scope.entries.get(key)
    return known is None or (known.choice.name == choice.name and known.nodes < _NODES)


def _node(w: Writer, entry: Entry, key: str, depth: int) -> str:
    """Write a field, with more of what is below it."""
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


def _again(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Select a response key once more."""
    known = [key for key, one in scope.entries.items() if one.nodes < _NODES]
    if not known or w.aliases < 4:
        return ""
    key = w.rng.choice(known)
    return _node(w, scope.entries[key], key, depth)


def _inline(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    on = f" on {scope.kind}" if w.chance(0.6) else ""
    given = _directives(w, 0.5 if depth > 3 else 0.25)
    return f"...{on}{given} {{ {selection(w, scope, depth, nested + 1)} }}"


def _spread(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Spread a fragment that is there already, or a new one."""
    fitting = [one for one in w.fragments.values() if _fits(w, one, scope, depth)]
    if fitting and w.chance(0.8):
        return _spread_of(w, scope, w.rng.choice(fitting))
    if len(w.fragments) >= _MOST_FRAGMENTS:
        return ""
    made = Scope(scope.kind)
    body = selection(w, made, depth, nested + 1)
    fragment = _named(w, scope.kind, body, made)
    return _spread_of(w, scope, fragment) if _fits(w, fragment, scope, depth) else ""


def _fits(w: Writer, fragment: Fragment, scope: Scope, depth: int) -> bool:
    """Say whether ``fragment`` can be spread at ``scope``, with all that it brings."""
    found = fragment.scope
    if found is None or found.kind != scope.kind:
        return False
    if depth + found.height - 1 > _deepest(scope.kind):
        return False
    return w.expanded + found.nodes <= _MOST_FIELDS and scope.takes(found)


def _spread_of(w: Writer, scope: Scope, fragment: Fragment) -> str:
    assert fragment.scope is not None
    scope.take(fragment.scope)
    w.expanded += fragment.scope.nodes
    return f"...{fragment.name}{_directives(w, 0.15)}"


def _named(w: Writer, on: str, body: str, scope: Scope | None) -> Fragment:
    name = w.rng.choice(("F", on, "f", "class", "None", "fragment"))
    while name in w.fragments:
        name = f"{name}{len(w.fragments)}"
    w.fragments[name] = Fragment(name, on, body, scope)
    return w.fragments[name]


def _opposites(w: Writer, scope: Scope, kind: Kind, menu: Menu, depth: int, nested: int) -> str:
    """Select one response key in two fragments of which only one, or neither, or both count."""
    if w.directives < 6:
        return ""
    found = _entry(w, scope, kind, _choose(w, kind, menu, depth))
    if found is None or found[1].nodes > 1:
        return ""
    key, entry = found
    one, other = (_node(w, entry, key, depth) for _ in range(2))
    asked = _condition(w, w.chance(0.5))
    first, second = w.rng.choice((("include", "skip"), ("skip", "include"), ("skip", "skip")))
    w.directives -= 2
    return w.separator.join(
        (
            _part(w, scope.kind, one, f" @{first}(if: {asked})"),
            _part(w, scope.kind, other, f" @{second}(if: {asked})"),
        )
    )


def _part(w: Writer, on: str, body: str, directive: str) -> str:
    """Put ``body`` into a fragment of its own under ``directive``."""
    if w.chance(0.4) and len(w.fragments) < 2 * _MOST_FRAGMENTS:
        return f"...{_named(w, on, body, None).name}{directive}"
    return f"... on {on}{directive} {{ {body} }}"


def _condition(w: Writer, value: bool) -> str:
    if w.chance(0.4):
        return str(value).lower()
    return str(w.variables.ref(GraphQLBoolean, True, False, value))


def _directives(w: Writer, share: float) -> str:
    """Return directives, more often such that what they stand at counts; mostly none."""
    if w.directives < 4 or not w.chance(share):
        return ""
    names = w.rng.choice((("include",), ("skip",), ("include", "skip"), ("skip", "include")))
    w.directives -= len(names)
    asked = ((name, w.chance(0.87) is (name == "include")) for name in names)
    return "".join(f" @{name}(if: {_condition(w, value)})" for name, value in asked)


_Way = Callable[[Writer, Scope, Kind, Menu, int, int], str]
_WAYS: tuple[_Way, ...] = (_field, _again, _inline, _spread, _opposites)
_SHARES = (84, 4, 5, 5, 2)
