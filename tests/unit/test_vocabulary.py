"""The vocabulary of the code: names that can be searched, and modules without cycles.

Names are nouns and verbs of the field. A pronoun or a participle says what something was to its
caller, not what it is.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "connectors", "disclosure", "rules", "reconcile")
RIDDLES = {
    "about", "asked", "found", "given", "got", "kept", "known", "looking", "made", "one", "own",
    "past", "taken", "told", "wanted", "whose",
}  # fmt: skip
#: Names that may have such a word, with the reason.
ALLOWED = {
    "KnownInvalidations": "an adjective: those that a process has read in the log",
    "connection_made": "asyncio calls it",
    "own_view": "the term of the law and of the documentation for what citizens see of themselves",
    "is_own_view": "the same",
    "reads_own_view": "the same",
    "require_known_variables": "an adjective: the variables that an operation declares",
    "resolve_from_known": "an adjective: the numbers that are known already, in contrast to reads",
}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text("utf-8"))


def _public_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of public functions and classes of a module, methods included.

    Properties are attributes, and left out.
    """
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if node.name.startswith("_") or "property" in decorators:
                continue
            yield node.name
            if isinstance(node, ast.ClassDef):
                yield from _public_names(ast.Module(node.body, []))


def _words(name: str) -> set[str]:
    """Return the words of a name in either of the two ways of writing names."""
    separated = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return {word for word in separated.split("_") if word}


def test_no_two_public_classes_have_one_name() -> None:
    modules = defaultdict(list)
    for module, tree in _trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(module)
    duplicates = {name: places for name, places in modules.items() if len(places) > 1}
    assert not duplicates, (
        "rename one of each (but not one whose name is a type of the GraphQL schema)"
    )


def test_no_module_function_or_class_is_named_by_a_pronoun_or_a_participle() -> None:
    riddles = {}
    for module, tree in _trees():
        names = [module.rpartition(".")[2], *_public_names(tree)]
        for name in names:
            if name not in ALLOWED and _words(name) & RIDDLES:
                riddles[f"{module}: {name}"] = sorted(_words(name) & RIDDLES)
    assert not riddles, "name it after what it is or does, or give the reason in ALLOWED"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types are counted too."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    while leaves := [name for name, imported in imports.items() if not imported & imports.keys()]:
        for name in leaves:
            del imports[name]
    circle: list[str] = []
    module = min(imports, default=None)
    while module is not None and module not in circle:
        circle.append(module)
        module = min(imports[module] & imports.keys())
    assert not circle, f"these modules lead in a circle to {module}"
