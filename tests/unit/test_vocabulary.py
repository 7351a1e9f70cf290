"""The vocabulary of the code: names that can be searched, and modules without cycles.

Names are nouns and verbs of the field. A pronoun or a participle says what something was to its
caller, not what it is.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "connectors", "disclosure", "rules", "reconcile")
RIDDLES = {
    "about", "asked", "found", "given", "got", "held", "kept", "known", "looking", "made", "one",
    "ones", "own", "past", "said", "taken", "told", "wanted", "whose",
}  # fmt: skip
#: Words that are no name by themselves, though compounds may have them (``for_each``).
PRONOUNS = {"each", "here", "mine", "some", "theirs", "there", "these", "those", "who", "what"}
#: The words that predicates begin with: what comes after them may be a participle.
PREDICATES = {"are", "has", "is", "may"}
#: Participles that may stand before a noun in names that are not public: ``known_answer``.
ADJECTIVES = {"known"}
#: Names that may have such a word, with the reason.
ALLOWED = {
    "KnownInvalidations": "an adjective: those that a process has read in the log",
    "_not_found": "the status of HTTP",
    "connection_made": "asyncio calls it",
    "earlier_numbers_asked": "a field of the schema",
    "first_found_on": "a field of the schema",
    "given_name": "the part of a name",
    "last_found_on": "a field of the schema",
    "made_on": "a field of the schema",
    "one_of": "the directive of GraphQL",
    "own_view": "the term of the law and of the documentation for what citizens see of themselves",
    "is_own_view": "the same",
    "reads_own_view": "the same",
    "require_known_variables": "an adjective: the variables that an operation declares",
    "resolve_from_known": "an adjective: the numbers that are known already, in contrast to reads",
    "what": "the kind of a conflict in the truth about generated people, as its file has it",
}


@cache
def _trees() -> list[tuple[str, ast.Module]]:
    return [
        (".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text("utf-8")))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


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


def _local_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of variables, parameters, attributes and private functions and classes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name


def _is_riddle(name: str) -> bool:
    """Say whether a name that is not public has a pronoun or a participle for a noun."""
    if name.strip("_") in RIDDLES | PRONOUNS:
        return True
    words = [word for word in _words(name.replace("own_view", "")) if word not in ADJECTIVES]
    return PREDICATES.isdisjoint(words[:1]) and not RIDDLES.isdisjoint(words)


def _words(name: str) -> dict[str, None]:
    """Return the words of a name in either of the two ways of writing names, in their order."""
    separated = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return {word: None for word in separated.split("_") if word}


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
            if name not in ALLOWED and not RIDDLES.isdisjoint(_words(name)):
                riddles[f"{module}: {name}"] = sorted(RIDDLES.intersection(_words(name)))
    assert not riddles, "name it after what it is or does, or give the reason in ALLOWED"


def test_no_variable_or_private_name_is_a_pronoun_or_a_participle() -> None:
    riddles = {
        f"{module}: {name}"
        for module, tree in _trees()
        for name in _local_names(tree)
        if name not in ALLOWED and _is_riddle(name)
    }
    assert not riddles, "name it after what it holds, or give the reason in ALLOWED"


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
