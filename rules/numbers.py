"""What the digits of a citizen ID say (``domain.md`` 1.1).

Decree 137/2015/NĐ-CP Art. 13, Circular 59/2021/TT-BCA: three digits for where the birth was
registered, one for century and sex, two for the year of birth, six at random; no check digit.
"""

from __future__ import annotations

from rules.expression import ColumnTerm, Comparison, ConstantTerm, Form, equal
from rules.text_forms import Slice, Substitute, Translate, form

#: What digit 4 says: sex by turns, and a century for two digits, from 1900 on.
_SEXES = tuple((str(digit), "FEMALE" if digit % 2 else "MALE") for digit in range(10))
_CENTURIES = tuple((str(digit), str(19 + digit // 2)) for digit in range(10))
#: Each digit as 0: a citizen ID has twelve, an old identity card nine.
SHAPE = form("shape of number", Translate("123456789", "000000000"))
CENTURY_OF_NUMBER = form("century of number", Slice(4, 1), Substitute(_CENTURIES))
YEAR_OF_NUMBER = form("year of number", Slice(5, 2))
CENTURY_OF_DATE = form("century of date", Slice(1, 2))
YEAR_OF_DATE = form("year of date", Slice(3, 2))
#: A code of ``connectors.vocabulary.Sex``.
SEX_OF_NUMBER = form("sex of number", Slice(4, 1), Substitute(_SEXES))


def is_citizen_id(number: ColumnTerm) -> Comparison:
    """The number has the twelve digits of a citizen ID."""
    return equal(Form(SHAPE, number), ConstantTerm("0" * 12))
