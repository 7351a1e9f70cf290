"""Nationalities and countries in rules: codes in the new books, words in the old.

The law names a code list (``domain.md`` 2.1), and digitised books have words: ``VN``, ``VNM``,
``Việt Nam``. Words of other countries are not translated: compared are Vietnam against another,
and two codes of two letters.
"""

from __future__ import annotations

from rules.expression import (
    ColumnTerm,
    Condition,
    ConstantTerm,
    Form,
    all_of,
    any_of,
    differ,
    equal,
    like,
    unlike,
)
from rules.names import PLAIN
from rules.text_forms import Replace, Translate, Wrap, form

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: Each word between brackets; Vietnam as ``<vn>``, however it is written.
COUNTRY_WORDS = form(
    "country words",
    Translate(",;/+&|()-", "         "),
    Replace("viet nam", "vn"),
    Replace("vietnam", "vn"),
    Replace(" ", "><"),
    Wrap("<", ">"),
    Replace("<vnm>", "<vn>"),
    base=PLAIN,
)
#: Each letter as ``a``: codes of countries have two.
CODE_SHAPE = form("code shape", Translate(_LETTERS, "a" * len(_LETTERS)), base=PLAIN)
_CODE = ConstantTerm("aa")
_VIETNAM = ConstantTerm("%<vn>%")
#: Nothing, "không rõ", "không xác định", "không quốc tịch", "chưa ..." contradict nothing.
_UNKNOWN = tuple(map(ConstantTerm, ("<>", "<khong>%", "<chua>%")))


def countries_differ(left: ColumnTerm, right: ColumnTerm) -> Condition:
    """One is Vietnam and the other is not, or both are codes, and not the same.

    Of somebody with two nationalities, Vietnam counts where one of them is Vietnamese.
    """
    either = any_of(
        all_of(like(Form(COUNTRY_WORDS, left), _VIETNAM), _is_foreign(right)),
        all_of(like(Form(COUNTRY_WORDS, right), _VIETNAM), _is_foreign(left)),
        all_of(
            equal(Form(CODE_SHAPE, left), _CODE),
            equal(Form(CODE_SHAPE, right), _CODE),
            differ(Form(PLAIN, left), Form(PLAIN, right)),
        ),
    )
    return all_of(differ(left, right), either)  # mostly they do not, and forms cost


def _is_foreign(country: ColumnTerm) -> Condition:
    words = Form(COUNTRY_WORDS, country)
    return all_of(unlike(words, _VIETNAM), *(unlike(words, unknown) for unknown in _UNKNOWN))
