"""Fail if a function, method, class or import is used nowhere (vulture).

Attributes are left out: declarations, settings and GraphQL types are read by their classes, and
results by generated code. So are functions with a decorator that registers them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[1]
PATHS = (
    "gateway",
    "connectors",
    "disclosure",
    "rules",
    "reconcile",
    "tools",
    "bench",
    "clients",
    "tests",
)
#: Decorators that hand a function to what calls it.
REGISTERING = (
    "@*.command",
    "@*.callback",
    "@compiles",
    "@field_validator",
    "@model_validator",
    "@pytest.fixture",
)
REPORTED = {"class", "function", "import", "method", "unreachable_code"}
EXCLUDED = ("*/node_modules/*",)
#: The contracts in ``changes`` are used step by step.
UNREPORTED = ("connectors/changes", "gateway/changes")
#: Names that only a library uses, with the reason.
ALLOWED = {
    "_requires_quotes": "SQLAlchemy calls it",
    "visit_TEXT": "SQLAlchemy calls it",
    "visit_translate_func": "SQLAlchemy calls it",
    "visit_trim_func": "SQLAlchemy calls it",
    "MergingSession": "named in a cast as text",
    "aiosqlite": "named in a cast as text",
    "enter_argument": "graphql-core calls it for each argument",
    "enter_directive": "graphql-core calls it for each directive",
    "enter_field": "graphql-core calls it for each field",
    "enter_selection_set": "graphql-core calls it for each selection set",
    "enter_variable": "graphql-core calls it for each variable",
    "get_alg": "joserfc asks a key for it",
    "handle_data": "html.parser calls it",
    "handle_endtag": "html.parser calls it",
    "handle_starttag": "html.parser calls it",
    "on_chunk_header": "httptools calls it",
    "process_bind_param": "SQLAlchemy calls it",
    "process_result_value": "SQLAlchemy calls it",
    "pytest_collection_finish": "pytest calls it",
    "pytest_collection_modifyitems": "pytest calls it",
    "pytest_runtest_teardown": "pytest calls it",
    "pytest_sessionfinish": "pytest calls it",
    "resolve_private_key": "http-message-signatures calls it",
    "resolve_public_key": "http-message-signatures calls it",
    "resolve_type": "strawberry calls it",
    "settings_customise_sources": "pydantic-settings calls it",
}


def main(root: Path, paths: Iterable[str], allowed: Mapping[str, str]) -> int:
    """Print what ``paths`` below ``root`` define and nothing uses; return how many.

    ``allowed``: names that only a library uses; those that are used, or gone, are printed too.
    """
    scan = Vulture(ignore_names=["test_*"], ignore_decorators=list(REGISTERING))
    scan.scavenge([root / path for path in paths], exclude=list(EXCLUDED))
    items = [item for item in scan.get_unused_code() if item.typ in REPORTED]
    complaints = [
        f"{item.filename.relative_to(root)}:{item.first_lineno}: {item.message}"
        for item in items
        if item.name not in allowed
        and not str(item.filename.relative_to(root)).startswith(UNREPORTED)
    ]
    names = {item.name for item in items}
    complaints += [
        f"tools/unused_code.py: {name} is used, or gone: take it out of ALLOWED"
        for name in allowed
        if name not in names
    ]
    print("\n".join(complaints), end="\n" if complaints else "")
    return len(complaints)


if __name__ == "__main__":
    sys.exit(min(main(ROOT, PATHS, ALLOWED), 1))
