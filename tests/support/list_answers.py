"""Answers with a list, and what the list readers for clients return for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PATH = ("persons", 1, "notary", "assets")


def answer(
    items: object = ({"kind": "LAND"},),
    state: str = "ANSWERED",
    truncated: bool | None = False,
    **beside: Any,
) -> dict[str, Any]:
    assets = {"items": items, "truncated": truncated, "source": {"state": state}}
    person = {"notices": [{"code": "DECEASED"}], "notary": {"assets": assets}}
    return {"data": {"persons": [None, person]}, **beside}


def error(code: str, *path: str | int, lists: list[str] | None = None) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": code}
    if lists is not None:
        extensions["lists"] = lists
    return {"message": "", "path": list(path), "extensions": extensions}


MIRRORED = {"path": ["persons", 1], "notices": [{"code": "UNDER_CORRECTION"}]}

SOMEBODY_ELSES = {"path": ["persons", 0], "notices": [{"code": "MISSING"}]}

#: What is answered, and what comes of it: records and notices, or why they are not known.
CASES: Mapping[str, tuple[dict[str, Any], tuple[Any, Any] | str]] = {
    "rows": (answer(), ([{"kind": "LAND"}], ["DECEASED"])),
    "none": (answer(()), ([], ["DECEASED"])),
    "mirrored notices": (
        answer((), extensions={"notices": [SOMEBODY_ELSES, MIRRORED]}),
        ([], ["UNDER_CORRECTION", "DECEASED"]),
    ),
    "cut": (answer(truncated=True), "TRUNCATED"),
    "not identified": (answer(None, "NOT_IDENTIFIED", None), "NOT_IDENTIFIED"),
    "withheld": (answer(None, "WITHHELD", None), "WITHHELD"),
    "incomplete": (answer(state="INCOMPLETE"), "INCOMPLETE"),
    "an error of the person that names the list": (
        answer(state="INCOMPLETE", errors=[
            error("NUMBERS_INCOMPLETE", "persons", 1, lists=["notary.assets"])
        ]),
        "NUMBERS_INCOMPLETE",
    ),
    "an error of the person that names another list": (
        answer(errors=[error("KEY_NOT_RECORDED", "persons", 1, lists=["notary.assets.items.x"])]),
        ([{"kind": "LAND"}], ["DECEASED"]),
    ),
    "an error of somebody else": (
        answer(errors=[error("NUMBER_CONFLICT", "persons", 0)]),
        ([{"kind": "LAND"}], ["DECEASED"]),
    ),
    "a field denied": (answer(errors=[error("FORBIDDEN", *PATH, "items", 0, "kind")]), "FORBIDDEN"),
    "a section refused": (answer(errors=[error("FORBIDDEN", *PATH[:3])]), "FORBIDDEN"),
    "refused as a whole": (
        {"errors": [{"message": "", "extensions": {"code": "RATE_LIMITED"}}]}, "RATE_LIMITED"
    ),
}  # fmt: skip
