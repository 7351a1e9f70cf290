"""The unified view of the benchmarks and the demo: every field there is.

No law asks for it. Production mode refuses this purpose (design section 10).
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.procedure import UNIFIED, Procedure

PROCEDURE = Procedure(
    codes=(UNIFIED,),
    title=Text("Đo hiệu năng (chỉ để trình diễn)", "Benchmark (demo only)"),
    legal_basis=(),
    fields={},
    unlimited=True,
)
