"""A program: what is decided once for a plan and the rights of a caller.

It is the same for every batch of the program, so that a request that is alone need not decide it
again. Nothing in it depends on whom a request names, or on what a database answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache

from connectors.description import Record, Sensitivity
from gateway.answer import Answer
from gateway.catalogue.read import Read
from gateway.fetch.source import Source
from gateway.people.notices import VisibleFacts
from gateway.people.numbers import Population, population_of
from gateway.plan.plan import ListPlan, PersonPlan, Plan

#: Programs that are kept.
_MOST = 256


@dataclass(slots=True, eq=False)
class Program:
    """What is decided for ``plan``, over ``sources``, for callers with the same rights.

    ``population``: the reads by which numbers are resolved. ``names_asker``: some database is told
    who asks, so that parts depend on it. ``uses_cache``: some rows may come from the cache.

    The rest is filled while batches run. ``missing`` and ``listing``: as in ``RecordRules``.
    ``decisions``: lists that permission or protection decides without a read, by record and
    ``open_up_to``. ``notice_facts``: what notices may depend on. ``list_names``: the lists that the
    plan of a person reads, as the journal calls them. ``uses``: batches so far. ``renderings``: the
    lists that databases may write as JSON, None until that is worth asking.
    """

    plan: Plan
    sources: Mapping[str, Source]
    population: Population | None
    names_asker: bool
    uses_cache: bool
    missing: dict[tuple[Record, int | None, Sensitivity | None], tuple[str, ...]] = field(
        default_factory=dict
    )
    listing: dict[Sensitivity | None, bool] = field(default_factory=dict)
    decisions: dict[tuple[Record, Sensitivity | None], Answer | None] = field(default_factory=dict)
    notice_facts: dict[Sensitivity | None, VisibleFacts | None] = field(default_factory=dict)
    list_names: dict[PersonPlan, tuple[str, ...]] = field(default_factory=dict)
    uses: int = 0
    renderings: tuple[tuple[ListPlan, Read], ...] | None = None


class Programs:
    """The programs that were used last."""

    def __init__(self) -> None:
        self._programs: LRUCache[Hashable, Program] = LRUCache(_MOST)

    def find(self, plan: Plan, sources: Mapping[str, Source], rights: Hashable) -> Program:
        """Return the program of ``plan`` for callers with ``rights``. About 1 us."""
        # A program holds the objects whose ids are its key, so that no others can have them.
        key = (id(plan), id(sources), rights)
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = _make_program(plan, sources)
        return program


def _make_program(plan: Plan, sources: Mapping[str, Source]) -> Program:
    names_asker = any(source.is_told_who_asks for source in sources.values())
    uses_cache = any(source.cache is not None for source in sources.values())
    return Program(plan, sources, population_of(sources), names_asker, uses_cache)
