"""The part of a persona's story about property, securities and debts."""

from __future__ import annotations

from connectors.civil_enforcement import EnforcementStatus
from connectors.synthetic.property_truth import CaseRole, SecurityRole
from connectors.synthetic.truth import PersonTruth

_CASE = {
    "DEBTOR": ("phải thi hành án", "judgment debtor"),
    "CREDITOR": ("được thi hành án", "judgment creditor"),
    "RELATED": ("có liên quan trong việc thi hành án", "concerned by an enforcement case"),
}
_SECURITY = {
    "SECURING": ("bên bảo đảm", "has given security"),
    "SECURED": ("bên nhận bảo đảm", "secured party"),
}


def property_facts(person: PersonTruth) -> list[tuple[str, str]]:
    """Return the facts of a story, in Vietnamese and English."""
    facts = [_case(case) for case in person.enforcement_cases]
    if any(asset.blocked for asset in person.assets):
        facts.append(("có tài sản đang bị ngăn chặn giao dịch", "owns an asset that is blocked"))
    facts += _securities(person.securities)
    if person.transactions:
        count = len(person.transactions)
        facts.append(
            (
                f"có {count} giao dịch đã công chứng",
                f"{count} notarised transaction{'' if count == 1 else 's'}",
            )
        )
    if person.wills:
        facts.append(("đã lập di chúc có công chứng", "has made a notarised will"))
    return facts


def _case(role: CaseRole) -> tuple[str, str]:
    vi, en = _CASE[role.role]
    status = EnforcementStatus[role.status].title
    return f"{vi} ({status.vi})", f"{en} ({status.en})"


def _securities(roles: tuple[SecurityRole, ...]) -> list[tuple[str, str]]:
    """Tell each role once: in force if any of its registrations is."""
    facts = []
    for role, (vi, en) in _SECURITY.items():
        standing = [
            security_role.effective for security_role in roles if security_role.role == role
        ]
        if standing:
            now = any(standing)
            facts.append(
                (
                    f"{vi} trong đăng ký biện pháp bảo đảm {'còn hiệu lực' if now else 'đã xóa'}",
                    f"{en} ({'a registration in force' if now else 'registration ended'})",
                )
            )
    return facts
