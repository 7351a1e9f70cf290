"""Barriers to people who use a keyboard or a screen reader, as axe-core sees them on a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import require_file

AXE = Path("tests/acceptance/pages/node_modules/axe-core/axe.min.js")
_IS_LOADED = "typeof axe === 'object'"
#: Only violations are reported in full: axe-core takes most of its time to describe what passed.
_RUN = """async ([part, excluded]) => {
    const context = {include: [part], exclude: excluded.map(selector => [selector])};
    const report = await axe.run(context, {resultTypes: ['violations']});
    return report.violations
        .filter(violation => ['serious', 'critical'].includes(violation.impact))
        .map(violation => `${violation.id}: ${violation.nodes.map(node => node.html).join(' ')}`);
}"""


def serious_barriers(page: Page, part: str = "html", excluded: Sequence[str] = ()) -> list[str]:
    """Return the serious barriers within ``part``, a selector, but not within ``excluded``.

    Takes a tenth of a second for an ordinary page. Skips the test where axe-core is missing; fails
    if REQUIRE_SERVICES says so.
    """
    require_file(AXE, "`make npm`")
    if not page.evaluate(_IS_LOADED):
        page.evaluate(AXE.read_text("utf-8"))
    barriers: list[str] = page.evaluate(_RUN, [part, list(excluded)])
    return barriers
