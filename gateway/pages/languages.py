"""The languages of pages: Vietnamese first, English by a link (``?lang=en``).

The pages' own phrases are in ``gateway.pages.phrases``. Whatever comes from the gateway (titles,
sentences, states) is bilingual where it is declared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from starlette.requests import Request

from connectors.description import Text
from gateway.runtime.clock import LEGAL_ZONE

LanguageCode = Literal["vi", "en"]
#: The parameter of an address that names the language.
PARAMETER = "lang"


@dataclass(frozen=True, slots=True)
class Language:
    """The language of a page. ``code``: as in the attribute ``lang`` (BCP 47)."""

    code: LanguageCode

    @property
    def other(self) -> Language:
        """The language that the switch leads to."""
        return Language("en" if self.code == "vi" else "vi")

    def choose(self, text: Text | Mapping[str, str]) -> str:
        """Return ``text`` in this language; a mapping is a Text as answers show it."""
        if isinstance(text, Text):
            return text.en if self.code == "en" else text.vi
        return text[self.code]

    def sentence(self, text: Text | Mapping[str, str]) -> str:
        """Return ``text`` with a capital: titles are declared as they stand in a sentence."""
        chosen = self.choose(text)
        return chosen[:1].upper() + chosen[1:]

    def day(self, value: date | str) -> str:
        """Return a date as people write it; a text is a date of ISO 8601."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return (
            f"{day:%d/%m/%Y}"
            if self.code == "vi"
            else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        )

    def moment(self, value: str) -> str:
        """Return a moment (ISO 8601, with its zone) as clocks in Viet Nam show it."""
        local = datetime.fromisoformat(value).astimezone(LEGAL_ZONE)
        return f"{local:%H:%M:%S} {'ngày' if self.code == 'vi' else 'on'} {self.day(local.date())}"

    def number(self, value: str) -> str:
        """Return a decimal number with its thousands apart."""
        whole, _, part = value.partition(".")
        sign, digits = (whole[:1], whole[1:]) if whole.startswith("-") else ("", whole)
        apart, point = (".", ",") if self.code == "vi" else (",", ".")
        groups = f"{int(digits):,}".replace(",", apart)
        return f"{sign}{groups}{point + part if part.strip('0') else ''}"

    def milliseconds(self, seconds: float) -> str:
        """Return a duration in milliseconds, to a tenth; less is never nothing."""
        if seconds < 0.0001:
            return f"< {self.number('0.1')} ms"
        return f"{self.number(f'{seconds * 1_000:.1f}')} ms"

    def percent(self, share: float) -> str:
        """Return a share from 0 to 1 in percent, to a tenth below: nothing is rounded to all."""
        return f"{self.number(f'{math.floor(share * 1_000) / 10:.1f}')}%"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

VIETNAMESE, ENGLISH = Language("vi"), Language("en")


def language_of(request: Request) -> Language:
    """Return the language that the address asks for: Vietnamese unless it says ``lang=en``."""
    return ENGLISH if request.query_params.get(PARAMETER) == "en" else VIETNAMESE
