"""A synthetic population: whole families, what the registers say of them, and what is true."""

from __future__ import annotations

from connectors.synthetic.clusters import Cluster, clusters
from connectors.synthetic.contradiction_ledger import Contradiction
from connectors.synthetic.loading import Summary, write
from connectors.synthetic.options import PopulationOptions
from connectors.synthetic.personas import personas
from connectors.synthetic.truth import PLANTED, Conflict, Filing, MaritalSpell, PersonTruth

__all__ = [
    "PLANTED",
    "Cluster",
    "Conflict",
    "Contradiction",
    "Filing",
    "MaritalSpell",
    "PersonTruth",
    "PopulationOptions",
    "Summary",
    "clusters",
    "personas",
    "write",
]
