"""Case numbers, in the header ``X-Case-Number`` and in arguments, as Vietnamese files have them.

``HSĐ-12/2026/QĐ-UBND`` is a case number (Decree 30/2020/NĐ-CP Art. 8 and Annex III: number, year,
abbreviation of the kind of document, of the body). A header is bytes, so the letters come as UTF-8
or, from clients whose headers are Latin letters only (``fetch`` in a browser), percent-encoded.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from gateway.errors import GatewayError

_LONGEST = 64
_DIGITS_AND_SIGNS = frozenset("0123456789./:-_")
#: The number of a person by itself is not a case number.
_PERSON = re.compile(r"[0-9]{12}|[0-9]{9}")
_FORM = (
    "must be 1 to 64 characters, without spaces: letters of any script, digits 0-9 and . / : - _"
)
_ALLOWED = f"X-Case-Number {_FORM}, sent as UTF-8 or percent-encoded (encodeURIComponent)"


def read_case_number(header: str) -> str:
    """Return the case number in ``header`` (its bytes, decoded as Latin-1), in form NFC.

    Raises GatewayError BAD_REQUEST, whose message says what is allowed.
    """
    try:
        value = header.encode("latin-1")
        text = (unquote_to_bytes(value) if b"%" in value else value).decode("utf-8")
    except UnicodeError:
        raise GatewayError("BAD_REQUEST", _ALLOWED) from None
    case_number = unicodedata.normalize("NFC", text)
    if not _is_case_number(case_number):
        raise GatewayError("BAD_REQUEST", _ALLOWED)
    if _PERSON.fullmatch(case_number):
        raise GatewayError("BAD_REQUEST", "X-Case-Number must not be the number of a person")
    return case_number


def parse_case_number(text: str) -> str:
    """Return a case number that stands in an argument, in form NFC.

    It has the form of one in the header. Raises GatewayError INVALID_VALUE.
    """
    case_number = unicodedata.normalize("NFC", text)
    if not _is_case_number(case_number):
        raise GatewayError("INVALID_VALUE", f"a case number {_FORM}")
    if _PERSON.fullmatch(case_number):
        raise GatewayError("INVALID_VALUE", "a case number must not be the number of a person")
    return case_number


def _is_case_number(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and all(map(_is_allowed, text))


def _is_allowed(character: str) -> bool:
    return character in _DIGITS_AND_SIGNS or unicodedata.category(character)[0] in "LM"
