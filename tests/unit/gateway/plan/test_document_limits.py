"""How large a document may be: each limit, and that finding out costs no more than the limit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from graphql import GraphQLSyntaxError, get_introspection_query, parse
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.plan.document_limits import SelectionWalk, parse_within
from gateway.settings import Limits
from tests.support.generated import PATIENT

#: Roomier than the defaults: what is held is the way in which they count.
LIMITS = Limits(
    document_characters=200_000, tokens=2_000, fields=1_000, fragments=300, operations=100
)


def _refusal(text: str, limits: Limits = LIMITS) -> str | None:
    """Return the code with which ``text`` is refused, or None if it is not too large."""
    try:
        parse_within(text, limits)
    except GatewayError as error:
        return error.code.name
    return None


_FRAGMENT = "fragment F{0} on Query{{a}}"


def _each(count: int, pattern: str) -> str:
    return "".join(pattern.format(number) for number in range(count))


def _declaring(count: int) -> str:
    """Declare variables in two operations: they count together."""
    half = count // 2
    first, second = (_each(number, "$v{0}:Int ") for number in (half, count - half))
    return f"query A({first}){{a}} query B({second}){{a}}"


def _nested(depth: int) -> str:
    return "{a" * depth + "}" * depth


@pytest.mark.parametrize(
    ("code", "limits", "make"),
    [
        ("TOO_MANY_TOKENS", Limits(tokens=20), lambda n: _fields(n - 2, "x{0}")),
        ("TOO_DEEP", Limits(depth=20), _nested),
        ("TOO_MANY_ALIASES", Limits(aliases=20), lambda n: _fields(n, "x{0}:a")),
        ("TOO_MANY_DIRECTIVES", Limits(directives=20), lambda n: _fields(n, "x{0} @skip(if:true)")),
        ("TOO_MANY_DEFINITIONS", Limits(operations=20), lambda n: _each(n, "query Q{0}{{a}}")),
        ("TOO_MANY_DEFINITIONS", Limits(fragments=20), lambda n: "{a}" + _each(n, _FRAGMENT)),
        ("TOO_MANY_DEFINITIONS", Limits(variables=20), _declaring),
        ("TOO_MANY_TOKENS", Limits(document_characters=20), lambda n: "{a}" + "#" * (n - 3)),
        ("TOO_MANY_FIELDS", Limits(fields=20), lambda n: _fields(n, "x{0}")),
        ("TOO_MANY_FIELDS", Limits(repeated_fields=20), lambda n: "{" + "a " * n + "}"),
    ],
)  # fmt: skip
def test_a_limit_itself_is_permitted_and_one_more_is_not(
    code: str, limits: Limits, make: Callable[[int], str]
) -> None:
    assert _refusal(make(20), limits) is None
    assert _refusal(make(21), limits) == code


def _fields(count: int, pattern: str) -> str:
    return "{" + " ".join(pattern.format(number) for number in range(count)) + "}"


def test_an_answer_to_a_refusal_names_the_limit() -> None:
    with pytest.raises(GatewayError) as refused:
        parse_within(_nested(13), LIMITS)
    assert refused.value.details == {"limit": LIMITS.depth}


@pytest.mark.parametrize("aliases", [LIMITS.aliases + 1, 200])
def test_too_many_aliases_are_refused_wherever_they_stand(aliases: int) -> None:
    half = aliases // 2
    split = f"{_fields(half, 'x{0}:a')} fragment F on Query {_fields(aliases - half, 'y{0}:a')}"
    assert _refusal(split) == "TOO_MANY_ALIASES"


def test_five_thousand_aliases_are_refused_while_they_are_read() -> None:
    assert _refusal(_fields(5_000, "x{0}:databases{{name}}")) == "TOO_MANY_TOKENS"


def _steps(text: str) -> int:
    """Return how many selections the walk over a document visits before it ends."""
    walk = SelectionWalk(parse(text), LIMITS)
    with contextlib.suppress(GatewayError):
        walk.enforce()
    return walk.steps


def test_ten_kilobytes_of_repeated_fields_are_refused_after_a_few_steps() -> None:
    text = "{databases{" + "name " * 1_900 + "}}"
    assert len(text) > 9_500
    assert _refusal(text) == "TOO_MANY_FIELDS"
    assert _steps(text) == 1 + LIMITS.repeated_fields + 1


def test_repeats_that_fragments_and_branches_hide_are_merged_and_counted() -> None:
    """What counts is what execution would merge: the same key below the same key."""
    branches = "{" + "a{b} ...{a{b}} ...F " * 3 + "} fragment F on Query {a{b} a{b}}"
    assert _refusal(branches, Limits(repeated_fields=8)) is None
    assert _refusal(branches.replace("a{b} a{b}}", "a{b} a{b} a{b}}")) == "TOO_MANY_FIELDS"
    assert _refusal("{" + "a{x b} " * 8 + "}") is None
    assert _refusal("{" + "a{x b b} " * 8 + "}") == "TOO_MANY_FIELDS"


def test_one_key_from_two_aliases_counts_as_repeated() -> None:
    assert _refusal("{" + "k:a k:b " * 4 + "}") is None
    assert _refusal("{" + "k:a k:b " * 4 + "k:c}") == "TOO_MANY_FIELDS"


def _doubling(levels: int, inner: str = "x{...F%d} y{...F%d}") -> str:
    chain = " ".join(
        f"fragment F{level} on Query{{{inner % (level + 1, level + 1)}}}" for level in range(levels)
    )
    return f"{{...F0}} {chain} fragment F{levels} on Query{{leaf}}"


def test_fragments_that_double_at_each_level_are_refused_after_bounded_work() -> None:
    """Eleven levels of two fields each mean four thousand fields; twelve are too deep anyway."""
    assert _refusal(_doubling(11)) == "TOO_MANY_FIELDS"
    assert _refusal(_doubling(20)) in {"TOO_DEEP", "TOO_MANY_FIELDS"}
    for levels in (11, 20):
        assert _steps(_doubling(levels)) <= LIMITS.fields * 10 + 1


def test_fragments_that_are_spread_twice_at_each_level_mean_no_more_than_once() -> None:
    text = _doubling(40, "...F%d ...F%d")
    assert _refusal(text) is None
    assert _steps(text) <= LIMITS.fields * 10


def test_wide_fragments_below_a_doubling_tree_are_bounded_over_all_definitions() -> None:
    """Few fields, but a great many places to look for them: spreads count as well."""
    tree = "".join(f"fragment A{n} on P{{p{{...A{n + 1}}} q{{...A{n + 1}}}}} " for n in range(8))
    wide = "fragment A8 on P{" + "...Z " * 300 + "} fragment Z on P{id} "
    users = "".join(f"fragment U{n} on P{{...A0}} " for n in range(100))
    text = "{x{...A0}} " + tree + wide + users
    assert _refusal(text) == "TOO_MANY_FIELDS"
    assert _steps(text) <= LIMITS.fields * 10 + 1


@pytest.mark.parametrize(
    "text",
    [
        "{...A} fragment A on Query{...A}",
        "{...A} fragment A on Query{...B} fragment B on Query{...A}",
        "{...A} fragment A on Query{a ...{...A}}",
    ],
)
def test_fragments_that_only_spread_each_other_end(text: str) -> None:
    """Validation refuses the cycle; the walk before it must not run round in it."""
    assert _refusal(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "{...A} fragment A on Query{a{...A}}",
        "{...A} fragment A on Query{a{...B}} fragment B on Query{b{...A}}",
        "{...A} fragment A on Query{a{...A} b{...A}}",
    ],
)
def test_fragments_that_nest_in_themselves_are_too_deep(text: str) -> None:
    assert _refusal(text) in {"TOO_DEEP", "TOO_MANY_FIELDS"}


@pytest.mark.parametrize("levels", [13, 100, 600])
@pytest.mark.parametrize("opening", ["{a", "{...F a", "{a ...{b} c"])
def test_deep_selections_are_refused(levels: int, opening: str) -> None:
    assert _refusal(opening * levels + "}" * levels) in {"TOO_DEEP", "TOO_MANY_TOKENS"}


@pytest.mark.parametrize("levels", [400, 950])
@pytest.mark.parametrize(
    ("before", "opening", "core", "closing", "after"),
    [
        ("{f(a:", "[", "", "]", ")}"),
        ("{f(a:", "[", "1", "]", ")}"),
        ("{f(a:", "{b:", "1", "}", ")}"),
        ("{f(a:", "{b:[", "", "]}", ")}"),
        ("query($v:", "[", "Int", "]", "){f}"),
        ("query($v:Int=", "[", "", "]", "){f}"),
        ("{", "...{", "f", "}", "}"),
    ],
    ids=["lists", "full lists", "objects", "both", "types", "defaults", "inline fragments"],
)
def test_whatever_nests_without_end_is_refused_without_a_stack_overflow(
    levels: int, before: str, opening: str, core: str, closing: str, after: str
) -> None:
    text = before + opening * levels + core + closing * levels + after
    assert _refusal(text) in {"TOO_DEEP", "TOO_MANY_TOKENS"}


def test_a_long_chain_of_fragments_is_not_recursed_into_without_bound() -> None:
    chain = "".join(f"fragment F{n} on Query{{...F{n + 1}}} " for n in range(240))
    text = f"{{...F0}} {chain} fragment F240 on Query{{a}}"
    assert _refusal(text) in {None, "TOO_MANY_FIELDS"}


def test_fragments_that_nobody_uses_are_held_to_the_same_limits() -> None:
    """Validation would read them before it says that they are unused."""
    assert _refusal("{a} fragment F on Query " + _nested(LIMITS.depth)) is None
    assert _refusal("{a} fragment F on Query " + _nested(LIMITS.depth + 1)) == "TOO_DEEP"
    assert _refusal("{a} fragment F on Query {" + "b " * 9 + "}") == "TOO_MANY_FIELDS"


def test_each_operation_has_the_limits_for_itself() -> None:
    limits = Limits(fields=10)
    assert _refusal(f"query A {_fields(10, 'x{0}')} query B {_fields(10, 'x{0}')}", limits) is None
    both = f"query A {_fields(10, 'x{0}')} query B {_fields(11, 'x{0}')}"
    assert _refusal(both, limits) == "TOO_MANY_FIELDS"


def test_comments_count_by_themselves() -> None:
    limits = Limits(tokens=20, document_characters=200_000)
    assert _refusal("#\n" * 20 + "{a}", limits) is None
    assert _refusal("#\n" * 21 + "{a}", limits) == "TOO_MANY_TOKENS"
    assert _refusal("# one comment may be long " + "x" * 100_000 + "\n{a}", limits) is None


def test_the_full_introspection_query_passes() -> None:
    """With every option that graphql-core knows; GraphiQL sends much the same."""
    assert _refusal(get_introspection_query()) is None
    full = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        experimental_directive_deprecation=True,
        one_of=True,
    )
    assert _refusal(full) is None


def test_introspection_may_go_deeper_than_other_fields_but_not_without_end() -> None:
    def types(depth: int) -> str:
        return "__schema" + _nested(depth - 1)

    assert _refusal(f"{{{types(LIMITS.introspection_depth)}}}") is None
    assert _refusal(f"{{{types(LIMITS.introspection_depth + 1)}}}") == "TOO_DEEP"
    other = "{databases" + _nested(LIMITS.depth) + "}"
    assert _refusal(other) == "TOO_DEEP"
    assert _refusal(f"{{databases{{{types(LIMITS.introspection_depth - 1)}}}}}") == "TOO_DEEP"


def test_only_fragments_on_the_schemas_own_types_may_go_as_deep_as_introspection() -> None:
    deep = _nested(LIMITS.introspection_depth)
    assert _refusal(f"{{a}} fragment F on __Type {deep}") is None
    assert _refusal(f"{{a}} fragment F on Person {deep}") == "TOO_DEEP"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "}",
        "nonsense",
        "{a(b:)}",
        '{a(b:"\\ud800")}',
        "{a} }",
        "\x00",
        '{a "Parsing aborted."}',
        '{a "nested too deeply. Parsing aborted."}',
        "{a ... on }",
        "fragment on on on{a}",
    ],
)
def test_what_is_not_graphql_is_a_syntax_error_and_not_too_large(text: str) -> None:
    with pytest.raises(GraphQLSyntaxError):
        parse_within(text, LIMITS)


_PIECES = st.sampled_from(
    ["{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "&", "=", "|", "...", '"', '"""', "#", "\n",
     " ", ",", "query", "mutation", "subscription", "fragment", "on", "null", "true", "F", "a", "b",
     "__schema", "__type", "include", "if", "1", "-", "1.5e9", "\\u{", "\\ud83d", "\ufeff", "type",
     "extend", "schema", "{a}", "{...F}", "fragment F on T{a}", "query($v:[T!]={a:[1]})"]
)  # fmt: skip


@PATIENT
@given(st.one_of(st.text(), st.lists(_PIECES, max_size=60).map(" ".join)))
@example("{...F} fragment F on T{...F} fragment F on T{a}")
@example("type T { a: Int }")
@example("{a(b: 1" + "0" * 5_000 + ")}")
@example("\ud800")
def test_any_text_is_parsed_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(GatewayError, GraphQLSyntaxError):
        parse_within(text, LIMITS)


@PATIENT
@given(st.recursive(st.just("a"), lambda inner: st.lists(inner, min_size=1).map(
    lambda parts: "a{" + " ".join(parts) + "}"), max_leaves=200))  # fmt: skip
def test_what_is_permitted_is_within_the_limits(selection: str) -> None:
    """An independent count: no deeper, no more fields than the limits say."""
    limits = Limits(depth=4, fields=30, repeated_fields=5)
    depth = deepest = 0
    for letter in f"{{{selection}}}":
        depth += {"{": 1, "}": -1}.get(letter, 0)
        deepest = max(deepest, depth)
    if _refusal(f"{{{selection}}}", limits) is None:
        assert deepest <= limits.depth
        assert selection.count("a") <= limits.fields
