"""Redaction: numbers of people in texts that are logged or audited.

A case number, a request id or a claim may contain anything. A personal number has twelve digits
(Decree 137/2015/NĐ-CP Art. 13), that of an old identity card nine, and people write them in groups.
So these count as a number:

- nine digits or more without a gap, whatever comes before or after them;
- nine or twelve digits in groups with dots or blanks between them;
- nine or twelve digits in the groups in which numbers are read out, whatever separates them:
  3-3-3, 3-3-3-3, 4-4-4, and 3-1-2-6, which are the parts of a number.

Other groups with hyphens do not: the code of a file of the public service portal
(``000.00.11.H29-261123-0001``) has them. Digits of any script count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

_GAP = r"[.\s·]"
_SEPARATOR = r"[-./_:,·\s‐-―]"
_RUN = r"\d{9,}"
_GROUPS = (
    rf"(?<!\d)(?<!\d{_GAP})\d(?:{_GAP}{{0,2}}\d){{8}}(?:(?:{_GAP}{{0,2}}\d){{3}})?(?!{_GAP}?\d)"
    rf"|(?<!\d)\d{{3}}({_SEPARATOR})\d{{3}}\1\d{{3}}(?:\1\d{{3}})?(?!\d)"
    rf"|(?<!\d)\d{{4}}({_SEPARATOR})\d{{4}}\2\d{{4}}(?!\d)"
    rf"|(?<!\d)\d{{3}}({_SEPARATOR})\d\3\d{{2}}\3\d{{6}}(?!\d)"
)
_IN_ONE, _IN_GROUPS = re.compile(_RUN), re.compile(_GROUPS)
_NUMBER = re.compile(f"{_RUN}|{_GROUPS}")
#: Finds whether there are groups of digits at all, in a tenth of the time: most texts have none.
_GROUPED = re.compile(rf"\d{_SEPARATOR}{{1,2}}\d")
#: Replaces a number.
MASK = "…"


def holds_number(text: str) -> bool:
    """Return whether ``text`` contains what reads like the number of a person.

    Costs 0.5 us for an id of letters and digits, 1 us for one without groups of digits, 5 us for a
    case number with some.
    """
    if _IN_ONE.search(text):
        return True
    if text.isalnum():
        return False  # there is nothing that could separate groups
    return bool(_GROUPED.search(text) and _IN_GROUPS.search(text))


def redact(text: str, replacement: Callable[[str], str] | None = None) -> str:
    """Return ``text`` with each number in it replaced.

    ``replacement`` takes the digits of a number; None: it is replaced by ``MASK``.
    """
    if not holds_number(text):
        return text
    if replacement is None:
        return _NUMBER.sub(MASK, text)
    return _NUMBER.sub(lambda match: replacement(_digits(match[0])), text)


def random_id() -> str:
    """Return 32 random hex digits that do not contain, by chance, what reads like a number.

    One id in eight would, and an id that logs redact cannot be searched for. Costs 1 us: ids are
    drawn many at a time.
    """
    while True:
        try:
            return _ids.pop()
        except IndexError:
            _ids.extend(_ID.findall(os.urandom(16 * _DRAWN).hex("\n", 16)))


#: A line that is an id: among hex digits nothing but a run of digits reads like a number.
_ID = re.compile(rf"^(?!.*{_RUN}).+$", re.MULTILINE)
#: Ids to be drawn at once: one call of the operating system for all of them.
_DRAWN = 64
#: Ids that were drawn and not used.
_ids: list[str] = []
os.register_at_fork(after_in_child=_ids.clear)  # two processes must not use the same ones


def _digits(text: str) -> str:
    """Return the digits in ``text`` as ASCII."""
    return "".join(str(int(character)) for character in text if character.isdecimal())
