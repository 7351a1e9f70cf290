"""W1 and W3 in our schema, made of the pairs in ``tables``, and answers made comparable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.rivals.tables import CODES, LEAVES, W3

_REPORT = "source { state fetchedAt fromCache }"

_Tree = dict[str, "_Tree"]


def w1() -> str:
    """Return W1: one person out of seven databases, with the report of each source."""
    names = [name for name in LEAVES if name != "collaterals"]
    return f"query W1($id: PersonNumber!) {{ person(id: $id) {{ id {_sections(names)} }} }}"


def w3() -> str:
    """Return W3: many people, 20 fields out of three databases."""
    chosen = {name: tuple(LEAVES[name][1][leaf] for leaf in leaves) for name, leaves in W3.items()}
    sections = _sections(W3, chosen)
    return f"query W3($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ id {sections} }} }}"


def _sections(names: Iterable[str], chosen: Mapping[str, Iterable[str]] | None = None) -> str:
    sections: dict[str, list[str]] = {}
    for name in names:
        path, leaves = LEAVES[name]
        section, field, rows, *_ = path.split(".")
        wanted = leaves.values() if chosen is None else chosen[name]
        inner = f"{rows} {{ {_selected(wanted)} }} {_REPORT}"
        sections.setdefault(section, []).append(f"{field} {{ {inner} }}")
    return " ".join(f"{name} {{ {' '.join(lists)} }}" for name, lists in sections.items())


def _selected(leaves: Iterable[str]) -> str:
    tree: _Tree = {}
    for leaf in leaves:
        if leaf == "collateral.items":
            inner = _selected(LEAVES["collaterals"][1].values())
            tree[f"collateral {{ items {{ {inner} }} {_REPORT} }}"] = {}
            continue
        here = tree
        for step in leaf.split("."):
            here = here.setdefault(step, {})
    return _written(tree)


def _written(tree: _Tree) -> str:
    return " ".join(
        f"{name} {{ {_written(below)} }}" if below else name for name, below in tree.items()
    )


def as_theirs(person: Mapping[str, Any], names: Mapping[str, Iterable[str]] | None = None) -> Any:
    """Return a person of ours as they answer it; ``names``: the lists and leaves of W3."""
    found: dict[str, Any] = {"id": person["id"]}
    for name, (path, leaves) in LEAVES.items():
        if name == "collaterals" or (names is not None and name not in names):
            continue
        wanted = leaves if names is None else {one: leaves[one] for one in names[name]}
        rows = _at(person, path)
        if isinstance(rows, list):
            found[name] = [_row(name, row, wanted) for row in rows]
        else:
            found[name] = None if rows is None else _row(name, rows, wanted)
    return found


def _row(name: str, row: Mapping[str, Any], leaves: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for theirs, ours in leaves.items():
        value = _at(row, ours)
        if theirs == "collaterals":
            value = [_row("collaterals", one, LEAVES["collaterals"][1]) for one in value]
        made[theirs] = CODES.get((name, theirs), {}).get(str(value), value)
    return made


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if value is None:
            return None
        if isinstance(value, list):
            value = value[int(step)] if len(value) > int(step) else None
        else:
            value = value[step]
    return value


def in_order(value: Any) -> Any:
    """Return an answer with its lists in an order of its own: each gateway has its own."""
    if isinstance(value, dict):
        return {name: in_order(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=repr)
    return value
