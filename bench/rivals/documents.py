"""W1 and W3 in our schema, built from the pairs in ``tables``, and answers in comparable form."""

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
    leaves_by_section = {
        name: tuple(LEAVES[name][1][leaf] for leaf in leaves) for name, leaves in W3.items()
    }
    sections = _sections(W3, leaves_by_section)
    return f"query W3($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ id {sections} }} }}"


def _sections(
    names: Iterable[str], leaves_by_section: Mapping[str, Iterable[str]] | None = None
) -> str:
    sections: dict[str, list[str]] = {}
    for name in names:
        path, leaves = LEAVES[name]
        section, field, rows, *_ = path.split(".")
        selected = leaves.values() if leaves_by_section is None else leaves_by_section[name]
        inner = f"{rows} {{ {_selected(selected)} }} {_REPORT}"
        sections.setdefault(section, []).append(f"{field} {{ {inner} }}")
    return " ".join(f"{name} {{ {' '.join(lists)} }}" for name, lists in sections.items())


def _selected(leaves: Iterable[str]) -> str:
    tree: _Tree = {}
    for leaf in leaves:
        if leaf == "collateral.items":
            inner = _selected(LEAVES["collaterals"][1].values())
            tree[f"collateral {{ items {{ {inner} }} {_REPORT} }}"] = {}
            continue
        branch = tree
        for step in leaf.split("."):
            branch = branch.setdefault(step, {})
    return _as_text(tree)


def _as_text(tree: _Tree) -> str:
    return " ".join(
        f"{name} {{ {_as_text(below)} }}" if below else name for name, below in tree.items()
    )


def as_rival_answer(
    person: Mapping[str, Any], names: Mapping[str, Iterable[str]] | None = None
) -> Any:
    """Return a person of our schema as rivals answer; ``names``: the lists and leaves of W3."""
    answer: dict[str, Any] = {"id": person["id"]}
    for name, (path, leaves) in LEAVES.items():
        if name == "collaterals" or (names is not None and name not in names):
            continue
        selected = leaves if names is None else {leaf: leaves[leaf] for leaf in names[name]}
        rows = _at(person, path)
        if isinstance(rows, list):
            answer[name] = [_row(name, row, selected) for row in rows]
        else:
            answer[name] = None if rows is None else _row(name, rows, selected)
    return answer


def _row(name: str, row: Mapping[str, Any], leaves: Mapping[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for rival_name, path in leaves.items():
        value = _at(row, path)
        if rival_name == "collaterals":
            value = [_row("collaterals", item, LEAVES["collaterals"][1]) for item in value]
        answer[rival_name] = CODES.get((name, rival_name), {}).get(str(value), value)
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


def in_order(value: Any) -> Any:
    """Return an answer with its lists sorted, since each gateway has another order."""
    if isinstance(value, dict):
        return {name: in_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((in_order(item) for item in value), key=repr)
    return value
