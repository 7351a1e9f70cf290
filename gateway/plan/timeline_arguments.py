"""The arguments of a timeline: how many events, after which cursor, of which databases and kinds.

Names that no declaration has are refused, and so is a choice that no list fits: to answer it would
read as "there are none".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.derived.event_lists import EventCatalogue, EventList
from gateway.errors import GatewayError
from gateway.plan.cursors import Cursor, parse_cursor
from gateway.plan.list_arguments import DEFAULT_FIRST, LONGEST_PAGE


@dataclass(frozen=True, slots=True)
class TimelineArguments:
    """The arguments of a timeline, parsed.

    ``first``: events on the page. ``after``: the end of the page before. ``databases``, ``kinds``:
    None for any. ``lists``: what is to be read, parents first.
    """

    first: int
    after: Cursor | None
    databases: frozenset[str] | None
    kinds: frozenset[str] | None
    lists: tuple[EventList, ...] = field(compare=False)

    @property
    def order(self) -> tuple[object, ...]:
        """The arguments that choose events, the same for every page."""
        return tuple(
            None if names is None else sorted(names) for names in (self.databases, self.kinds)
        )


def parse_timeline_arguments(
    catalogue: EventCatalogue, coerced: Mapping[str, object]
) -> TimelineArguments:
    """Return the arguments of a timeline; raises GatewayError INVALID_VALUE."""
    first, after = coerced.get("first", DEFAULT_FIRST), coerced.get("after")
    if not isinstance(first, int) or not 1 <= first <= LONGEST_PAGE:
        raise GatewayError("INVALID_VALUE", f"first must be a number from 1 to {LONGEST_PAGE}")
    databases = _names(coerced.get("databases"), "databases", catalogue.databases)
    kinds = _names(coerced.get("kinds"), "kinds", frozenset(catalogue.titles))
    lists = catalogue.select(databases, kinds)
    if not lists:
        raise GatewayError("INVALID_VALUE", "none of these databases has events of these kinds")
    cursor = parse_cursor(after, "endCursor") if isinstance(after, str) else None
    return TimelineArguments(first, cursor, databases, kinds, lists)


def _names(value: object, argument: str, valid_names: frozenset[str]) -> frozenset[str] | None:
    """Return the names that an argument gives, None where it is not given."""
    if value is None:
        return None
    assert isinstance(value, Sequence)
    names = frozenset(str(name) for name in value)
    if not names:
        raise GatewayError("INVALID_VALUE", f"{argument} must name one at least, or be left out")
    if not names <= valid_names:
        # The name itself is not repeated: it may be anything.
        raise GatewayError(
            "INVALID_VALUE", f"{argument} has a name that does not exist; the catalogue lists them"
        )
    return names
