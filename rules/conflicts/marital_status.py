"""The marital status in the population database does not fit the marriages in the book.

Law on Civil Status 60/2014/QH13 Art. 17, 60(2); Law on Marriage and Family 52/2014/QH13 Art. 57, 65
(when a marriage ends). Of the living only: nobody keeps up the status of the dead. What the book
does not say decides nothing: courts send divorces unevenly, old books are not digitised, and the
death of a spouse is filed under the spouse. So WIDOWED with a marriage whose end nobody noted is no
contradiction, nor is MARRIED without any entry.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import (
    Condition,
    ConstantTerm,
    RowVariable,
    all_of,
    any_of,
    any_row,
    equal,
    is_absent,
    is_among,
    is_present,
    no_row,
    surely_before,
)
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_identity = any_row("population", "identity")
_marriage = any_row("civil_status", "marriages")
_divorce = any_row("civil_status", "divorces")
_STATUS = ("marital_status",)
_MARRIAGE = ("effective_from", "ended_on", "end_reason")


def _living_with_status(*codes: str) -> Condition:
    death = any_row("civil_status", "deaths")
    return all_of(
        is_among(_identity["marital_status"], *codes),
        equal(_identity["life_status"], ConstantTerm("ALIVE")),
        no_row(death, in_force(death)),
    )


def _has_no_divorce(marriage: RowVariable) -> Condition:
    divorce = any_row("civil_status", "divorces")
    return no_row(
        divorce, in_force(divorce), equal(divorce["marriage_event_id"], marriage["event_id"])
    )


def _is_open(marriage: RowVariable) -> Condition:
    """The book notes no end of the marriage."""
    return all_of(
        is_absent(marriage["ended_on"]),
        is_absent(marriage["end_reason"]),
        _has_no_divorce(marriage),
    )


def _is_the_last(marriage: RowVariable) -> Condition:
    other = any_row("civil_status", "marriages")
    return no_row(
        other, in_force(other), surely_before(marriage["effective_from"], other["effective_from"])
    )


def _none_is_open() -> Condition:
    """Every marriage in force has an end in the book."""
    other, divorce = any_row("civil_status", "marriages"), any_row("civil_status", "divorces")
    return no_row(
        other,
        in_force(other),
        is_absent(other["ended_on"]),
        is_absent(other["end_reason"]),
        no_row(divorce, in_force(divorce), equal(divorce["marriage_event_id"], other["event_id"])),
    )


RULE = ConflictRule(
    ConflictCode.MARITAL_STATUS,
    ConflictSeverity.HIGH,
    (
        # Never married, but a marriage is in the book.
        case(
            (_identity, _STATUS),
            (_marriage, _MARRIAGE),
            where=all_of(_living_with_status("SINGLE"), in_force(_marriage)),
            prevails=_marriage,
        ),
        # Divorced, but the last marriage in the book has no end.
        case(
            (_identity, _STATUS),
            (_marriage, _MARRIAGE),
            where=all_of(
                _living_with_status("DIVORCED"),
                in_force(_marriage),
                _is_open(_marriage),
                _is_the_last(_marriage),
            ),
            prevails=_marriage,
        ),
        # Married, but the last marriage in the book has ended, as all others have.
        case(
            (_identity, _STATUS),
            (_marriage, _MARRIAGE),
            where=all_of(
                _living_with_status("MARRIED", "SEPARATED"),
                in_force(_marriage),
                any_of(is_present(_marriage["ended_on"]), is_present(_marriage["end_reason"])),
                _is_the_last(_marriage),
                _none_is_open(),
            ),
            prevails=_marriage,
        ),
        # The same, where only the note of the divorce says so.
        case(
            (_identity, _STATUS),
            (_marriage, _MARRIAGE),
            (_divorce, ("legal_effect_date",)),
            where=all_of(
                _living_with_status("MARRIED", "SEPARATED"),
                in_force(_marriage),
                is_absent(_marriage["ended_on"]),
                is_absent(_marriage["end_reason"]),
                in_force(_divorce),
                equal(_divorce["marriage_event_id"], _marriage["event_id"]),
                _is_the_last(_marriage),
                _none_is_open(),
            ),
            prevails=_divorce,
        ),
        # Widowed, but the last marriage in the book ended by divorce.
        case(
            (_identity, _STATUS),
            (_marriage, _MARRIAGE),
            (_divorce, ("legal_effect_date",)),
            where=all_of(
                _living_with_status("WIDOWED"),
                in_force(_marriage),
                in_force(_divorce),
                equal(_divorce["marriage_event_id"], _marriage["event_id"]),
                _is_the_last(_marriage),
            ),
            prevails=_divorce,
        ),
    ),
    BOOK_PREVAILS,
    Text(
        "Coi theo sổ hộ tịch. Xác minh tại nơi đăng ký kết hôn và Tòa án (bản án ly hôn có thể "
        "chưa được ghi chú) trước khi xác nhận tình trạng hôn nhân.",
        "Go by the civil status book. Before the marital status is confirmed, verify with the "
        "office that registered the marriage and the court: a divorce may not have been noted.",
    ),
)
