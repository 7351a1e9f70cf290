"""What a browser gets of each page: bytes, requests, milliseconds, and how far things moved.

Over a demo of its own, with Chromium from Debian: each page in a browser that has seen none, then
again. Times are those of the Performance API; ``moved`` is the cumulative layout shift (Layout
Instability, W3C), which is to be 0. The goals of the explorer are 2.5 MB and 2 s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from bench.report import save, show, surroundings

_CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PAGES = (
    "/", "/procedures", "/procedures/1.000894?as=one_stop_desk", "/person?as=officer",
    "/me?as=citizen", "/catalogue", "/catalogue/civil_status", "/status", "/operations?as=partner",
    "/statistics?record=civil_status.births&by=YEAR&by=SEX&as=analyst", "/graphql",
)  # fmt: skip
_FIGURES = """async () => {
  const moved = await new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
  });
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  return {
    bytes: [page, ...files].reduce((sum, entry) => sum + entry.transferSize, 0),
    requests: 1 + files.length,
    "first byte": page.responseStart,
    interactive: page.domInteractive,
    loaded: page.loadEventEnd,
    moved,
  };
}"""


@contextmanager
def _demo(folder: Path, port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "gateway", "demo", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen([*command, "--folder", str(folder / ".demo")], stdout=log)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not _is_ready(url):
            time.sleep(0.1)  # between two looks, not instead of one
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


def _visit(page: Page, address: str) -> dict[str, Any]:
    """Return the figures of a visit; the explorer is there when its editor takes text."""
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    assert answer.status == 200, (address, answer.status)
    if "/graphql" in address:
        page.locator(".query .view-line").first.wait_for()
        ready = float(page.evaluate("performance.now()"))
        return {**page.evaluate(_FIGURES), "interactive": ready}
    figures: dict[str, Any] = page.evaluate(_FIGURES)
    return figures


def measure(browser: Browser, url: str) -> list[dict[str, Any]]:
    """Return the figures of each page: in a browser that has seen none, then of a second visit."""
    results = []
    for path in PAGES:
        with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
            page = context.new_page()
            first = _visit(page, url + path)
            again = _visit(page, url + path)
        results.append({"page": path, **first, "bytes again": again["bytes"]})
    return results


def main() -> None:
    """Measure, show and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    port = parser.parse_args().port
    with (
        tempfile.TemporaryDirectory() as folder,
        _demo(Path(folder), port) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        measure(browser, url)  # templates, plans and snapshots are made at the first visit of all
        results = measure(browser, url)
        browser.close()
    columns = [name for name in results[0] if name != "page"]
    show("Pages in a browser", ["page", *columns], [_row(figures) for figures in results])
    save("pages", {"surroundings": surroundings(), "pages": results})


def _row(figures: dict[str, Any]) -> list[str]:
    cells = [str(figures["page"]).partition("?")[0]]
    for name, value in figures.items():
        if name != "page":
            cells.append(f"{value:,.3f}" if name == "moved" else f"{value:,.0f}")
    return cells


if __name__ == "__main__":
    main()
