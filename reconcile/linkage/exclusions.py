"""Whom linkage must leave out, by number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Numbers of people, as the sources write them; they are kept in memory only.

    ``protected``: of who has an order that protects an address, of any day: nothing is proposed for
    them, nor are their names compared as those of relatives. ``adopted``: no births are proposed
    for them, as the birth before an adoption would tell of it.
    """

    protected: frozenset[str]
    adopted: frozenset[str]
