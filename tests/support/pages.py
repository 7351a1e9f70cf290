"""Pages over ASGI, as a browser without scripts sees and sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2

from tests.support.running import Running

CODE = "no-sanction-check"
CASE = "HSĐ-12/2026/QĐ-UBND"
LOCAL = "http://127.0.0.1:8000"


@dataclass
class ParsedPage(HTMLParser):
    """What a page holds. ``fields``: name -> value; ``words``: what it says."""

    fields: dict[str, str] = field(default_factory=dict)
    forms: list[dict[str, str | None]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _area: str | None = None
    _choice: str | None = None

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, html: str) -> ParsedPage:
        """Return what ``html`` holds."""
        page = cls()
        page.feed(html)
        return page

    @property
    def text(self) -> str:
        """What the page says, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        name = attributes.get("name")
        if tag == "form":
            self.forms.append(attributes)
        elif tag == "a":
            self.links.append(attributes.get("href") or "")
        elif tag == "input" and name:
            self.fields[name] = attributes.get("value") or ""
        elif tag in {"textarea", "select"} and name:
            self.fields[name] = ""
            self._area = name if tag == "textarea" else None
            self._choice = name if tag == "select" else None
        elif tag == "option" and self._choice and "selected" in attributes:
            self.fields[self._choice] = attributes.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            # A line break right behind the tag is no part of the content (HTML, 13.2.6.4.7).
            self.fields[self._area] = self.fields[self._area].removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._choice = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.fields[self._area] += data
        else:
            self.words.append(data)


@dataclass
class Desk:
    """An officer at a procedure's page. ``query``: of its address; ``headers``: of requests."""

    gateway: Running
    query: str = "as=desk"
    code: str = CODE
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"{LOCAL}/procedures/{self.code}" + (f"?{self.query}" if self.query else "")

    async def get(self) -> httpx2.Response:
        """Return the page as it is first seen."""
        return await self.gateway.client.get(self.address, headers=dict(self.headers))

    async def send(self, **typed: str) -> httpx2.Response:
        """Fill in the form and send it; ``form_token`` stands in place of the page's own."""
        fields = ParsedPage.of((await self.get()).text).fields
        fields |= {"case-number": CASE}
        fields |= {
            name.replace("_", "-"): value for name, value in typed.items() if "." not in name
        }
        return await self.gateway.client.post(self.address, data=fields, headers=dict(self.headers))


def hire(gateway: Running, *purposes: str, scopes: tuple[str, ...] = ("procedures:check",)) -> None:
    """Give the demo an officer called ``desk`` with ``purposes``, and one without any."""
    tokens = {
        "desk": gateway.token(*scopes, purposes=purposes or [CODE]),
        "clerk": gateway.token("population:read", purposes=["1.000894"]),
        "citizens": {},
    }
    (gateway.folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
