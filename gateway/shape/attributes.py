"""Code for objects that are read from Python attributes: source reports, notices, databases."""

from __future__ import annotations

from gateway.plan.selection import AttributeEntries, AttributeShape, Typename
from gateway.shape.function_source import FunctionSource, dictionary


def render_object(
    source: FunctionSource, entries: AttributeEntries, owner: str, depth: int = 0
) -> str:
    """Return the expression of an object: a dictionary of the attributes of ``owner``.

    ``owner``: the expression of the object itself. ``depth``: how many objects it stands within,
    which tells the variables of nested comprehensions apart.
    """
    parts = []
    for key, inner in entries:
        if isinstance(inner, Typename):
            value = source.quote(inner.name)
        else:
            value = _render_attribute(source, inner, owner, depth)
        parts.append(f"{source.quote(key)}: {value}")
    return dictionary(parts)


def render_report(source: FunctionSource, entries: AttributeEntries, report: str) -> str:
    """Return the expression of a source report, which all lists of a statement share.

    ``report``: the expression of the report itself. It is rendered once, but for one that says
    whether the database is live, which is not the report's.
    """
    rendered = render_object(source, entries, "o")
    if "live[" in rendered:
        return render_object(source, entries, report)
    return f"{source.add_memoised(rendered)}({report})"


def _render_attribute(source: FunctionSource, shape: AttributeShape, owner: str, depth: int) -> str:
    if shape.special == "lists":
        return f"lists({owner})"
    value = f"live[{owner}.name]" if shape.special else f"{owner}.{shape.attribute}"
    if shape.is_list and shape.rendering == "value":
        return value
    if shape.is_list:
        item = f"v{depth}"
        shown = f"[{_render_value(source, shape, item, depth)} for {item} in {value}]"
    else:
        shown = _render_value(source, shape, value, depth)
    if shape.is_nullable and shown != value:
        return f"(None if {value} is None else {shown})"
    return shown


def _render_value(source: FunctionSource, shape: AttributeShape, value: str, depth: int) -> str:
    match shape.rendering:
        case "name":
            return f"{value}.name"
        case "iso":
            return f"{value}.isoformat()"
        case "text":
            return f"str({value})"
        case "object":
            assert shape.entries is not None
            return render_object(source, shape.entries, value, depth + 1)
        case _:
            return value
