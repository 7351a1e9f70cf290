"""Comparing names and dates that a caller gives with those a record holds.

Vietnamese names are written with different tone-mark placement (Hòa, Hoà), Unicode forms, stand-ins
for Đ, invisible characters, apostrophes and hyphens in different places (domain.md section 5); none
of that makes them different names. A name that an old encoding left unreadable is no other name
either: it cannot be compared.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from connectors.values import PartialDate

#: Grave, acute, tilde, hook above, dot below: the five tone marks.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")

#: Letters and signs that stand for others, after case folding: eth and African d for đ, gha for ư
#: (fonts draw them alike), and what word processors make of apostrophes and hyphens.
_SAME = str.maketrans(
    dict.fromkeys("\u00f0\u0256", "đ")
    | {"\u01a3": "u\u031b"}
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u00b4\uff07`", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-")
)
#: Combining characters without a shape of their own: the grapheme joiner, variation selectors.
_SHAPELESS = frozenset("\u034f\u180b\u180c\u180d" + "".join(map(chr, range(0xFE00, 0xFE10))))


def canonical_name(name: str) -> str:
    """Return ``name`` in a form in which equal names are equal text.

    Case, Unicode form, spacing, invisible characters, stand-ins for Đ and the place of the tone
    mark within a syllable do not count; which tone it is does.
    """
    visible = "".join(sign for sign in name if not _is_invisible(sign))
    text = unicodedata.normalize("NFD", visible).casefold().translate(_SAME)
    return " ".join(_syllable(syllable) for syllable in text.split())


def _is_invisible(sign: str) -> bool:
    """Whether a character shows nothing: zero-width, soft, directional."""
    return unicodedata.category(sign) == "Cf" or sign in _SHAPELESS


def _syllable(text: str) -> str:
    letters = "".join(mark for mark in text if mark not in _TONES)
    return letters + "".join(sorted(mark for mark in text if mark in _TONES))


def same_name(left: str, right: str) -> bool:
    """Say whether two ways of writing mean the same name."""
    return canonical_name(left) == canonical_name(right)


def names_agree(left: str, right: str) -> bool | None:
    """Say whether two ways of writing mean the same name.

    None: they differ, but one of them shows the remains of an old encoding, and cannot be compared.
    """
    if same_name(left, right):
        return True
    return None if shows_old_encoding(left) or shows_old_encoding(right) else False


#: No name has these. TCVN3 read as Latin-1 has ¨ for ă, ® for đ, ­µ and ¸ for à and á; UTF-8 read as
#: Latin-1 has » and ¡; a conversion that gave up leaves ? and U+FFFD.
_SIGNS = frozenset("¡¢£¤¥¦§¨©ª«¬®¯°±²³µ¶·¸¹º»¼½¾¿×÷?\ufffd")
#: Not letters of Vietnamese, but of TCVN3 (ß for ò, ï for ù, Þ for ị) and VNI (ñ for đ, ö for ư).
_FOREIGN = frozenset("ßäåæçëîïñöøûüþÿ")
#: VNI writes the mark as a letter of its own: Traàn, Leâ, Vaên, Hoøa, Buùi, Söông.
_VNI = re.compile("[ae][âàáãäåêéèúëùøûõï]|o[âùøûõïäå]|[ôöuy][ùøûõï]")
_VOWELS = frozenset("aeiouy")
_SOFT_HYPHEN = "\u00ad"


def shows_old_encoding(name: str) -> bool:
    """Say whether ``name`` looks like TCVN3 or VNI text, or a conversion that failed.

    A guess, which decides nothing but that two names that differ may be the same.
    """
    text = unicodedata.normalize("NFC", name)
    lower = text.lower()
    return (
        any(sign in _SIGNS or sign in _FOREIGN for sign in lower)
        or _VNI.search(lower) is not None
        # TCVN3 has capitals within a word: NguyÔn, TrÇn.
        or any(left.islower() and "À" <= right <= "Þ" for left, right in pairwise(text))
        or any(_lost_vowel(word) for word in lower.split())
    )


def _lost_vowel(word: str) -> bool:
    """Whether a soft hyphen stands where a syllable has its vowel: TCVN3 has it for ư."""
    if _SOFT_HYPHEN not in word:
        return False
    return _VOWELS.isdisjoint(unicodedata.normalize("NFD", word))


def date_agrees(claim: PartialDate, recorded: PartialDate) -> bool | None:
    """Say whether a claimed date is the recorded date.

    None: it may be, but less of the date is claimed than is recorded. The year stands in the
    person number (domain.md 1.1), so that to claim the year alone shows no knowledge of the person.
    """
    if claim.first > recorded.last or recorded.first > claim.last:
        return False
    if recorded.first <= claim.first and claim.last <= recorded.last:
        return True
    return None
