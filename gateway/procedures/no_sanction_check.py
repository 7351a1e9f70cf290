"""P12: check that somebody counts as not sanctioned, as part of licensing procedures.

Law on Handling of Administrative Violations 15/2012/QH13 Art. 7: after the period stated there,
whoever was sanctioned counts as never sanctioned. The answer is a boolean and comes by a way of its
own; the violations themselves are for nobody who only has to know that.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("no-sanction-check",),
    title=Text('Kiểm tra "chưa bị xử phạt"', "No-sanction check"),
    legal_basis=("Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7",),
    fields={"population.identity": IDENTITY},
    derived=frozenset({"is_considered_unsanctioned"}),
)
