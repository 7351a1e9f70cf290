"""Comparing names in rules: the same name in another writing is told apart from another name.

Vietnamese names are written with marks in different places (Hòa, Hoà), composed or decomposed, in
capitals, with signs that look alike (domain.md section 5); with middle names left out or cut to a
letter; by old systems without any marks. The forms below are what ``gateway.people.names`` does for
verification, in steps that SQL has too:

``LETTERS``  the letters without tone marks, in lower case: ``Nguyễn Thị HOÀ``, ``nguyên thi hoa``
``TONES``    the tone of each syllable as a digit: ``3 5 1``
``PLAIN``    the letters without any marks: ``nguyen thi hoa``

Two writings are of one name where letters and tones are equal: where in the syllable the tone mark
stands is in neither.
"""

from __future__ import annotations

import unicodedata

from rules.expression import (
    ColumnTerm,
    Conjunction,
    ConstantTerm,
    Disjunction,
    Form,
    all_of,
    any_of,
    differ,
    equal,
    like,
    unlike,
)
from rules.text_forms import Replace, Step, Translate, Trim, Wrap, form

_TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
_SHAPES = (
    ("a\u0302", "â"), ("a\u0306", "ă"), ("e\u0302", "ê"), ("e\u0306", "ĕ"), ("i\u0306", "ĭ"),
    ("o\u0302", "ô"), ("o\u0306", "ŏ"), ("o\u031b", "ơ"), ("u\u031b", "ư"), ("u\u0306", "ŭ"),
    ("c\u030c", "č"),
)  # fmt: skip
_SHAPED, _BARE = "âăđêĕĭôŏơưŭč", "aadeeiooouuc"
#: Signs that stand for others, after lower case: those of ``gateway.people.names``.
_SAME = (
    dict.fromkeys("ðɖÐƉ", "đ")
    | dict.fromkeys("ƣƢ", "ư")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u00b4\uff07`", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-")
)
#: Signs of LIKE, and of the patterns below: no name has them.
_RESERVED = "%_\\<>"


def _letter_ranges() -> str:
    ranges = (range(0x41, 0x5B), range(0xC0, 0x250), range(0x1E00, 0x1F00))
    return "".join(chr(code) for codes in ranges for code in codes)


def _folded(sign: str) -> tuple[str, str]:
    """Return a letter in lower case without its tone, and the tone's digit or ""."""
    marks = unicodedata.normalize("NFD", unicodedata.normalize("NFD", sign).casefold())
    letter = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES))
    tones = [str(_TONES.index(mark) + 1) for mark in marks if mark in _TONES]
    return (letter, "".join(tones)) if len(letter) == 1 and len(tones) < 2 else (sign, "")


def _blanks() -> str:
    return "".join(chr(c) for c in range(9, 0x3001) if chr(c).isspace() and chr(c) != " ")


def _invisible() -> str:
    formats = (chr(c) for c in range(0x80, 0x10000) if unicodedata.category(chr(c)) == "Cf")
    selectors = map(chr, range(0xFE00, 0xFE10))
    return "".join([*formats, *selectors, "\u034f\u180b\u180c\u180d"])


def _translation(pairs: dict[str, str]) -> Translate:
    """Return the step that replaces by ``pairs``, and removes what has "" there."""
    replaced = [(sign, other) for sign, other in pairs.items() if other]
    removed = [sign for sign, other in pairs.items() if not other]
    source = "".join(sign for sign, _ in replaced) + "".join(removed)
    return Translate(source, "".join(other for _, other in replaced))


#: What both forms do with what is no letter.
_SIGNS = dict.fromkeys(_blanks(), " ") | dict.fromkeys(_invisible() + _RESERVED, "") | _SAME
_LETTER_TABLE = {sign: letter for sign in _letter_ranges() if (letter := _folded(sign)[0]) != sign}
_LETTER_TABLE |= dict.fromkeys(_TONES, "")
_TONE_TABLE = {sign: _folded(sign)[1] for sign in _letter_ranges()}
_TONE_TABLE |= dict.fromkeys("abcdefghijklmnopqrstuvwxyz\u0302\u0306\u031b\u030c'-", "")
_TONE_TABLE |= {tone: str(place + 1) for place, tone in enumerate(_TONES)}
#: Words are parted by one blank, and none is at the ends; a full stop ends a word.
_WORDS = (
    Replace(".", ". "),
    Replace(" ", " \x01"),
    Replace("\x01 ", ""),
    Replace("\x01", ""),
    Trim(),
)
_LETTER_STEPS: tuple[Step, ...] = (
    _translation(_LETTER_TABLE),
    *(Replace(old, new) for old, new in _SHAPES),
)
_TONE_STEP = _translation(_TONE_TABLE)

TIDY = form("tidy", _translation(_SIGNS), _WORDS)
LETTERS = form("letters", _LETTER_STEPS, base=TIDY)
TONES = form("tones", _TONE_STEP, base=TIDY)
TONE_DIGITS = form("tone digits", Translate(" .", ""), base=TONES)
PLAIN = form("plain", Translate(_SHAPED, _BARE), base=LETTERS)

# What a pattern is held against: each word between brackets, the tones of a word likewise.
_BRACKETS = (Replace(" ", "><"), Wrap("<", ">"))
LETTER_WORDS = form("letter words", _BRACKETS, base=LETTERS)
TONE_WORDS = form("tone words", _BRACKETS, base=TONES)
PLAIN_WORDS = form("plain words", _BRACKETS, base=PLAIN)

# A pattern of all names of which a writing may be the short form: words may be missing between its
# words, and a word with a full stop, or a single capital, may be the beginning of a word.
_CONSONANTS, _VOWELS = "BCDĐGHKLMNPQRSTVX", "AĂÂEÊIOÔƠUƯY"
# Two forms, because engines limit how deep calls may be nested (SQLite: 100).
_DOTTED_CONSONANTS = form(
    "dotted consonants",
    Replace(" ", "  "),
    Wrap(" ", " "),
    [Replace(f" {sign} ", f" {sign}. ") for sign in _CONSONANTS],
    base=TIDY,
)
_DOTTED = form(
    "dotted",
    [Replace(f" {sign} ", f" {sign}. ") for sign in _VOWELS],
    Replace("  ", " "),
    Trim(),
    base=_DOTTED_CONSONANTS,
)
_GAPS = (Replace(" ", ">%<"), Wrap("<", ">"), Replace(".", "%"))
_DOTTED_LETTERS = form("dotted letters", _LETTER_STEPS, base=_DOTTED)
LETTER_PATTERN = form("letter pattern", _GAPS, base=_DOTTED_LETTERS)
TONE_PATTERN = form("tone pattern", _TONE_STEP, _GAPS, base=_DOTTED)
PLAIN_PATTERN = form("plain pattern", Translate(_SHAPED, _BARE), _GAPS, base=_DOTTED_LETTERS)
#: What no name has, but names of old encodings have (TCVN3 and VNI read as Latin-1, conversions
#: that gave up): those of ``gateway.people.names`` that are single signs.
_REMAINS = "¡¢£¤¥¦§¨©ª«¬®¯°±²³µ¶·¸¹º»¼½¾¿×÷?\ufffdßäåæçëîïñöøûüþÿÄÅÆÇËÎÏÑÖØÛÜÞ"
READABLE = form("without remains of encodings", Translate(_REMAINS, ""))


def same_name(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    """Both are writings of one name, whatever their case, Unicode form and tone-mark placement."""
    return all_of(
        equal(Form(LETTERS, left), Form(LETTERS, right)),
        equal(Form(TONES, left), Form(TONES, right)),
    )


def name_in_another_form(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    """It is one name, but the text is not the same."""
    return all_of(differ(left, right), same_name(left, right))


def name_unreadable(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    """They differ, but one shows the remains of an old encoding, and cannot be compared."""
    return all_of(
        differ(left, right),
        _not_the_same(left, right),
        any_of(differ(Form(READABLE, left), left), differ(Form(READABLE, right), right)),
    )


def name_incomplete(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    """One may be the short form of the other: words left out or cut, or without any marks."""
    return all_of(
        _both_readable(left, right),
        any_of(_may_be_short(left, right), _may_be_short(right, left)),
    )


def names_differ(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    """They are different names, in whatever form: neither may be the short form of the other."""
    return all_of(
        _both_readable(left, right), _no_short_form(left, right), _no_short_form(right, left)
    )


def _both_readable(left: ColumnTerm, right: ColumnTerm) -> Conjunction:
    return all_of(
        differ(left, right),
        _not_the_same(left, right),
        equal(Form(READABLE, left), left),
        equal(Form(READABLE, right), right),
    )


def _not_the_same(left: ColumnTerm, right: ColumnTerm) -> Disjunction:
    return any_of(
        differ(Form(LETTERS, left), Form(LETTERS, right)),
        differ(Form(TONES, left), Form(TONES, right)),
    )


def _may_be_short(short: ColumnTerm, whole: ColumnTerm) -> Disjunction:
    """``short`` may be ``whole`` with words left out or cut, or without any marks."""
    return any_of(
        all_of(
            like(Form(LETTER_WORDS, whole), Form(LETTER_PATTERN, short)),
            like(Form(TONE_WORDS, whole), Form(TONE_PATTERN, short)),
        ),
        all_of(
            equal(Form(TONE_DIGITS, short), ConstantTerm("")),
            equal(Form(PLAIN, short), Form(LETTERS, short)),
            like(Form(PLAIN_WORDS, whole), Form(PLAIN_PATTERN, short)),
        ),
    )


def _no_short_form(short: ColumnTerm, whole: ColumnTerm) -> Conjunction:
    """The opposite of ``_may_be_short``, for names that are there."""
    return all_of(
        any_of(
            unlike(Form(LETTER_WORDS, whole), Form(LETTER_PATTERN, short)),
            unlike(Form(TONE_WORDS, whole), Form(TONE_PATTERN, short)),
        ),
        any_of(
            differ(Form(TONE_DIGITS, short), ConstantTerm("")),
            differ(Form(PLAIN, short), Form(LETTERS, short)),
            unlike(Form(PLAIN_WORDS, whole), Form(PLAIN_PATTERN, short)),
        ),
    )
