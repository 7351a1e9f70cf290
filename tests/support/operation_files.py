"""Files of published operations, written by tests."""

from __future__ import annotations

from pathlib import Path

NAME = """query Name($id: PersonNumber!) {
  person(id: $id) {
    id
    population { identity { item { fullName } source { state } } }
  }
}
"""


def header(**entries: object) -> str:
    """Return a header that is good but for ``entries``; None leaves one out."""
    fields: dict[str, object] = {
        "name": "name",
        "version": 1,
        "title": "Họ tên / Name",
        "owner": "Bộ Tư pháp",
        "purposes": "1.000894",
        "clients": "partner",
        "cost": 100,
        "matching": "none",
        **entries,
    }
    return "".join(f"# {name}: {value}\n" for name, value in fields.items() if value is not None)


def write(folder: Path, file: str, document: str = NAME, **entries: object) -> Path:
    """Write a file into ``folder`` in one step and return its path."""
    folder.mkdir(exist_ok=True)
    path, fresh = folder / file, folder / f"{file}.new"
    fresh.write_text(f"{header(**entries)}\n{document}", "utf-8")
    fresh.replace(path)
    return path
