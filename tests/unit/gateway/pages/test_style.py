"""The colours of pages: readable, and as the design page lists them.

Covers ``gateway/pages/static/style.css`` and ``docs/design.md``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLESHEET = Path("gateway/pages/static/style.css").read_text("utf-8")
DESIGN = Path("docs/design.md").read_text("utf-8")
LIGHT, DARK = "light", "dark"
#: Text and what it stands on.
PAIRS = (
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("paper", "sheet")),
    ("on-accent", "accent"),
    *((state, f"{state}-bg") for state in ("pass", "fail", "unknown", "sheet-due", "person")),
    *((state, "sheet") for state in ("pass", "fail", "unknown", "sheet-due", "person")),
)


def colours() -> dict[str, dict[str, str]]:
    """Return the colours of each scheme by name, as ``#rrggbb``."""
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", block))
        for block in re.findall(r":root \{(.*?)\}", STYLESHEET, re.DOTALL)[:2]
    )
    return {LIGHT: light, DARK: dark}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(text: str, ground: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_the_contrast_of_level_aa(scheme: str, text: str, ground: str) -> None:
    named = colours()[scheme]
    assert contrast(named[text], named[ground]) >= 4.5


def test_the_design_page_lists_every_colour_as_it_is() -> None:
    listed = {
        name: (light, dark)
        for name, light, dark in re.findall(
            r"^\| `([a-z-]+)` \| `(#[0-9a-f]{6})` \| `(#[0-9a-f]{6})` \|", DESIGN, re.MULTILINE
        )
    }
    schemes = colours()
    assert listed == {name: (schemes[LIGHT][name], schemes[DARK][name]) for name in schemes[LIGHT]}
