"""Each decision has a status and a date, and the list of decisions shows them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")

_LINK = r"\[(\d+)\]\((\d{4}-[a-z0-9-]+\.md)\)"
_STATUS = rf"(?:accepted|superseded by {_LINK}|accepted, (?:in part superseded|amended) by {_LINK})"
_HEAD = re.compile(
    rf"# (?P<number>\d+)\. (?P<title>\S.*)\n\nStatus: (?P<status>{_STATUS})\."
    r" Date: (?P<date>\d{4}-\d\d-\d\d)\.\n\n"
)


def head(file: Path) -> re.Match[str]:
    match = _HEAD.match(file.read_text("utf-8"))
    assert match is not None, "title, status and date come first"
    return match


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_decision_starts_with_its_status_and_date(file: Path) -> None:
    match = head(file)
    assert file.name.startswith(f"{int(match['number']):04}-")
    assert date.fromisoformat(match["date"])
    headings = re.findall(r"^## (.+)$", file.read_text("utf-8"), re.MULTILINE)
    assert headings[:2] == ["Context", "Decision"]
    assert {"Alternatives"} <= set(headings)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_supersedes_or_amends_a_decision_names_it(file: Path) -> None:
    for _, later in re.findall(_LINK, head(file)["status"]):
        assert later > file.name
        assert file.name in (FOLDER / later).read_text("utf-8")


def test_the_list_shows_every_decision_with_its_status_and_date() -> None:
    listed = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((\S+)\) \| (.+) \| (\S+) \|$",
        (FOLDER / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    heads = [(file.name, head(file)) for file in FILES]
    assert listed == [
        (match["number"], match["title"], name, match["status"], match["date"])
        for name, match in heads
    ]
