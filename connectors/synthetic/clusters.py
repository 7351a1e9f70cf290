"""The population as a stream of clusters, one in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.synthetic import (
    civil_status_rows,
    enforcement_rows,
    legal_aid_rows,
    notary_rows,
    population_rows,
    protection,
    security_rows,
    violation_rows,
)
from connectors.synthetic.bonds import bind_partners
from connectors.synthetic.book import Rows
from connectors.synthetic.conflicts import plant
from connectors.synthetic.contradiction_ledger import Contradiction
from connectors.synthetic.contradictions import contradict
from connectors.synthetic.courts import decide
from connectors.synthetic.fact_truth import FactTruth, fact_truths
from connectors.synthetic.family import simulate
from connectors.synthetic.model import Family
from connectors.synthetic.options import PopulationOptions
from connectors.synthetic.property import build_estate
from connectors.synthetic.property_model import Estate
from connectors.synthetic.registers import register
from connectors.synthetic.truth import PersonTruth, truths
from connectors.synthetic.unnumbered_records import UnnumberedRecord, remove_numbers

#: What writes rows, each with random numbers of its own. A further database adds its function here.
SECTIONS: tuple[Callable[[Family, Rows], None], ...] = (
    population_rows.add,
    civil_status_rows.add,
    legal_aid_rows.add,
    violation_rows.add,
    protection.orders,
)
#: The same for property, securities and debts.
ESTATE_SECTIONS: tuple[Callable[[Estate, Rows], None], ...] = (
    notary_rows.add,
    security_rows.add,
    enforcement_rows.add,
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A family network of some 50 people: its rows by (database, record), and the truth.

    ``facts``: what was true of them over time. ``contradictions``: where the rows of a person
    contradict each other, for tests of rules. ``unnumbered``: who is behind records that lost their
    numbers.

    A row maps column names to Python values; columns without a value are left out.
    """

    index: int
    rows: Mapping[tuple[str, str], Sequence[Mapping[str, object]]]
    truth: Sequence[PersonTruth]
    contradictions: Sequence[Contradiction] = ()
    facts: Sequence[FactTruth] = ()
    unnumbered: Sequence[UnnumberedRecord] = ()


def clusters(options: PopulationOptions) -> Iterator[Cluster]:
    """Yield clusters until they hold ``options.people`` people.

    Each depends on the seed and its index only, and no memory is kept between them.
    """
    count = index = 0
    while count < options.people:
        cluster = make(options, index)
        yield cluster
        count += len(cluster.truth)
        index += 1


def make(options: PopulationOptions, index: int) -> Cluster:
    """Return cluster ``index``: lives first, then the books, then what every database says."""
    family = simulate(options, index)
    bind_partners(family)
    decide(family)
    register(family)
    plant(family)
    protection.protect(family)
    estate = build_estate(family)
    rows: Rows = {}
    for section in SECTIONS:
        section(family, rows)
    for estate_section in ESTATE_SECTIONS:
        estate_section(estate, rows)
    facts = fact_truths(family, estate)
    contradictions = contradict(family, rows)
    retained = {record_id for item in contradictions for record_id in item.record_ids}
    unnumbered = remove_numbers(family, rows, retained)
    return Cluster(index, rows, truths(family, estate), contradictions, facts, unnumbered)
