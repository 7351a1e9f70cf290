"""Alive or missing in the population database, dead in the civil status book, or the other way.

Law on Civil Status 60/2014/QH13 Art. 32-34 (registration of deaths), 60(2); Civil Code 2015 Art. 73
(a declaration of death is revoked). That a death of the population database is not in the book is
no contradiction: the book is silent, and many old entries are not digitised.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ConstantTerm, all_of, any_row, equal, is_among, no_row
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_identity = any_row("population", "identity")
_death = any_row("civil_status", "deaths")
_other_death = any_row("civil_status", "deaths")
_LIFE = ("life_status", "death_or_missing_date")
_DEATH = ("death_date", "status")

RULE = ConflictRule(
    ConflictCode.LIFE_STATE,
    ConflictSeverity.HIGH,
    (
        case(
            (_identity, _LIFE),
            (_death, _DEATH),
            where=all_of(is_among(_identity["life_status"], "ALIVE", "MISSING"), in_force(_death)),
            prevails=_death,
        ),
        case(
            (_identity, _LIFE),
            (_death, _DEATH),
            where=all_of(
                equal(_identity["life_status"], ConstantTerm("DEAD")),
                equal(_death["status"], ConstantTerm("REVOKED")),
                no_row(_other_death, in_force(_other_death)),
            ),
            prevails=_death,
        ),
    ),
    BOOK_PREVAILS,
    Text(
        "Coi theo sổ hộ tịch. Đề nghị cơ quan quản lý cơ sở dữ liệu dân cư cập nhật; chưa giải "
        "quyết thủ tục dựa vào việc người này còn sống khi chưa xác minh.",
        "Go by the civil status book. Ask the population database's agency to update it; grant "
        "nothing that depends on the person being alive before that is verified.",
    ),
)
