"""Review of the access log: an auditor looks into who read a person's data, and for what.

Law 91/2025/QH15 Art. 3-4 (processing is accounted for; citizens are told who processed their
data); design section 7: reading somebody else's log needs the auditor's scope, and is logged
itself. Of the records it needs who the person is. Not in the national list of procedures.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.procedure import Procedure

PROCEDURE = Procedure(
    codes=("access-log-review",),
    title=Text("Kiểm tra nhật ký truy cập", "Review of the access log"),
    legal_basis=("Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15, Điều 3, 4",),
    fields={"population.identity": IDENTITY},
    derived=frozenset({"access_log"}),
)
