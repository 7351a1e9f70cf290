"""Draws docs/architecture.svg from the imports of the code (``make docs``).

Rows are the layers of the contract in pyproject.toml. An arrow says that a package imports another.
Left out are arrows that follow from others (the picture is the transitive reduction), and those to
the lowest layer and to the connectors, which every package may import. The file is the same
wherever it is made; ``--check`` compares it with the one that is there.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"

_WIDTH = 640
_ROW = 54
_BOX = 30
_TOP = 64
_LANE = 16
_GAP = 22
_SWEEPS = 24

_STYLE = """\
    .band { fill: #ffffff } .band.odd { fill: #f4f6f8 }
    .box { fill: #e7effa; stroke: #2c5c9e; stroke-width: 1.3 }
    .base { fill: #f1f3f5; stroke: #5b6675; stroke-width: 1.3 }
    .line { stroke: #7b8796; stroke-width: 1.2; fill: none; marker-end: url(#tip) }
    .name { font-size: 14px; font-weight: 600; fill: #1c2430; text-anchor: middle }
    .head { font-size: 17px; font-weight: 600; fill: #1c2430 }
    .sub { font-size: 12px; fill: #5b6675 }"""

Edge = tuple[str, str]


class Lane(NamedTuple):
    """The place in a row where a long arrow passes between boxes."""

    edge: Edge
    row: int


#: What takes up room in a row: a package, or an arrow that passes.
Item = str | Lane


def layers(project: Mapping[str, Any]) -> list[list[str]]:
    """Return the packages of the layers contract that exist, row by row, top first."""
    contracts = project["tool"]["importlinter"]["contracts"]
    (rows,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    existing = [
        [name for name in re.split(r"\s*\|\s*", row) if (ROOT / "gateway" / name).is_dir()
         or (ROOT / "gateway" / f"{name}.py").is_file()]
        for row in (row.replace("(", "").replace(")", "") for row in rows)
    ]  # fmt: skip
    return [row for row in existing if row]


def imports(packages: Iterable[str]) -> set[Edge]:
    """Return (importer, imported) for the packages of the gateway that import each other."""
    graph = grimp.build_graph("gateway", cache_dir=None)
    names = set(packages)
    edges = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            edge = _package(module), _package(imported)
            if edge[0] != edge[1] and names.issuperset(edge):
                edges.add(edge)
    return edges


def _package(module: str) -> str:
    return [*module.split("."), ""][1]


def reduced(edges: set[Edge]) -> set[Edge]:
    """Return the edges that do not follow from others. ``edges`` have no cycle."""
    successors: dict[str, set[str]] = {}
    for importer, imported in edges:
        successors.setdefault(importer, set()).add(imported)

    @cache
    def reachable(package: str) -> frozenset[str]:
        direct = successors.get(package, set())
        return frozenset(direct).union(*(reachable(name) for name in direct))

    return {
        (importer, imported)
        for importer, imported in edges
        if not any(imported in reachable(name) for name in successors[importer] - {imported})
    }


def arranged(rows: Sequence[Sequence[str]], edges: set[Edge]) -> list[list[Item]]:
    """Return the rows with lanes for long arrows, ordered so that few arrows cross.

    Each sweep sorts a row by the mean place of its neighbours in the row before it (Sugiyama's
    barycentre method), downwards and upwards in turn.
    """
    level = {name: number for number, row in enumerate(rows) for name in row}
    items: list[list[Item]] = [list(row) for row in rows]
    links: list[tuple[Item, Item]] = []
    for edge in sorted(edges):
        stations = _stations(edge, level)
        for lane in stations:
            if isinstance(lane, Lane):
                items[lane.row].append(lane)
        links += pairwise(stations)
    for sweep in range(_SWEEPS):
        _sweep(items, links, downwards=sweep % 2 == 0)
    return items


def _stations(edge: Edge, level: Mapping[str, int]) -> list[Item]:
    """Return the items that an arrow connects: its two packages, and the lanes between them."""
    importer, imported = edge
    rows = range(level[importer] + 1, level[imported])
    return [importer, *(Lane(edge, row) for row in rows), imported]


def _sweep(items: list[list[Item]], links: list[tuple[Item, Item]], *, downwards: bool) -> None:
    neighbours: dict[Item, list[Item]] = {}
    for upper, lower in links:
        item, other = (lower, upper) if downwards else (upper, lower)
        neighbours.setdefault(item, []).append(other)
    place = {item: x for row in items for item, x in _places(row).items()}
    for row in items if downwards else reversed(items):
        mean = {
            item: sum(place[other] for other in neighbours[item]) / len(neighbours[item])
            if item in neighbours
            else place[item]
            for item in row
        }
        row.sort(key=mean.__getitem__)
        place.update(_places(row))


def _width(item: Item) -> float:
    return _LANE if isinstance(item, Lane) else 34 + 8.4 * len(item)


def _places(row: Sequence[Item]) -> dict[Item, float]:
    """Return the middle of each item: the row is centred."""
    total = sum(map(_width, row)) + _GAP * (len(row) - 1)
    x = (_WIDTH - total) / 2
    places = {}
    for item in row:
        places[item] = x + _width(item) / 2
        x += _width(item) + _GAP
    return places


def drawn(rows: Sequence[Sequence[str]], base: Sequence[str], edges: set[Edge]) -> str:
    """Return the picture: ``rows`` with arrows, and ``base``, which all of them may import."""
    items = arranged(rows, edges)
    place = {item: x for row in items for item, x in _places(row).items()}
    level = {name: number for number, row in enumerate(rows) for name in row}
    height = _TOP + _ROW * (len(rows) + 2) + 6
    lines = [*_head(height)]
    for number in range(len(rows)):
        odd = " odd" if number % 2 else ""
        lines.append(
            f'  <rect class="band{odd}" x="8" y="{_TOP + _ROW * number}"'
            f' width="{_WIDTH - 16}" height="{_ROW}"/>'
        )
    for edge in sorted(edges):
        xs = [place[item] for item in _stations(edge, level)]
        lines.append(_arrow(level[edge[0]], _spread(edge, edges, place, xs)))
    for row, names in enumerate(rows):
        lines += [_box("box", place[name], row, _width(name), name) for name in sorted(names)]
    wide = _WIDTH - 60
    lines.append(_box("base", _WIDTH / 2, len(rows), wide, " · ".join(base)))
    lines.append(_box("base", _WIDTH / 2, len(rows) + 1, wide, "connectors"))
    return "\n".join([*lines, "</svg>", ""])


def _head(height: float) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
        f' height="{height}" role="img" aria-labelledby="title desc"',
        "     font-family=\"system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif\">",
        '  <title id="title">Các lớp của mã nguồn / The layers of the code</title>',
        '  <desc id="desc">Packages of gateway/, one row a layer. Arrows lead from a package to',
        "    those that it imports.</desc>",
        "  <!-- Made by tools/architecture_picture.py from the imports: do not edit. -->",
        "  <defs>",
        '    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="#5b6675"/></marker>',
        "  </defs>",
        "  <style>",
        _STYLE,
        "  </style>",
        f'  <rect width="{_WIDTH}" height="{height}" rx="8" fill="#fbfcfd"/>',
        '  <text class="head" x="16" y="30">Các lớp của mã nguồn</text>',
        '  <text class="sub" x="16" y="49">The layers of the code: a package imports from the'
        " rows below it only</text>",
    ]


def _spread(
    edge: Edge, edges: set[Edge], place: Mapping[Item, float], xs: Sequence[float]
) -> list[float]:
    """Return ``xs`` with the two ends moved apart from those of the box's other arrows."""
    first, last = xs[0], xs[-1]
    outgoing = sorted((place[pair[1]], pair) for pair in edges if pair[0] == edge[0])
    incoming = sorted((place[pair[0]], pair) for pair in edges if pair[1] == edge[1])
    first += 14 * ([pair for _, pair in outgoing].index(edge) - (len(outgoing) - 1) / 2)
    last += 14 * ([pair for _, pair in incoming].index(edge) - (len(incoming) - 1) / 2)
    return [first, *xs[1:-1], last]


def _arrow(row: int, xs: Sequence[float]) -> str:
    """Return the path from the box in ``row`` through a point in each row below it."""
    half = (_ROW - _BOX) / 2
    y = _TOP + _ROW * row + _ROW - half
    path = f"M{xs[0]:.0f} {y:.0f}"
    for place, (x, below) in enumerate(pairwise(xs), 1):
        end = _TOP + _ROW * (row + place) + half
        middle = (y + end) / 2
        path += f" C{x:.0f} {middle:.0f} {below:.0f} {middle:.0f} {below:.0f} {end:.0f}"
        if place < len(xs) - 1:
            y = end + _BOX
            path += f" V{y:.0f}"
    return f'  <path class="line" d="{path}"/>'


def _box(kind: str, x: float, row: int, width: float, text: str) -> str:
    y = _TOP + _ROW * row + (_ROW - _BOX) / 2
    return (
        f'  <rect class="{kind}" x="{x - width / 2:.0f}" y="{y:.0f}" width="{width:.0f}"'
        f' height="{_BOX}" rx="5"/>\n'
        f'  <text class="name" x="{x:.0f}" y="{y + 20:.0f}">{text}</text>'
    )


def picture() -> str:
    """Return the picture of the code as it is."""
    *rows, base = layers(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
    return drawn(rows, base, reduced(imports(name for row in rows for name in row)))


if __name__ == "__main__":
    if "--check" in sys.argv:
        if PICTURE.read_text("utf-8") != picture():
            sys.exit("docs/architecture.svg is out of date: run make docs")
    else:
        PICTURE.write_text(picture(), "utf-8")
