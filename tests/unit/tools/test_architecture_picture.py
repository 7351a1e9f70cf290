"""The picture of the layers matches the imports of the code."""

from __future__ import annotations

from xml.etree import ElementTree

from tools.architecture_picture import PICTURE, drawn, layers, picture, reduced

LAYERS = {"type": "layers", "layers": ["cli", "(nothing_here) | http", "answer | errors"]}


def test_the_picture_is_up_to_date() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "run make docs"


def test_packages_that_are_still_to_come_are_left_out() -> None:
    project = {"tool": {"importlinter": {"contracts": [LAYERS, {"type": "forbidden"}]}}}
    assert layers(project) == [["cli"], ["http"], ["answer", "errors"]]


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}
    assert reduced(edges) == {("a", "b"), ("b", "c"), ("a", "d")}


def test_each_package_has_a_box_and_each_import_an_arrow() -> None:
    svg = ElementTree.fromstring(
        drawn([["a"], ["b", "c"], ["d"]], ["e"], {("a", "b"), ("b", "d"), ("a", "d")})
    )
    space = "{http://www.w3.org/2000/svg}"
    names = [text.text for text in svg.iter(f"{space}text") if text.get("class") == "name"]
    arrows = [path for path in svg.iter(f"{space}path") if path.get("class") == "line"]
    assert names == ["a", "b", "c", "d", "e", "connectors"]
    assert len(arrows) == 3
