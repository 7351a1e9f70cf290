"""The page of statistics over ASGI: figures, suppressed cells, silence, refusals, and the file.

Covers ``gateway.pages.statistics``, ``gateway.pages.statistics_chart``,
``gateway.pages.statistics_csv``, ``gateway.pages.statistics_request``,
``gateway.pages.statistics_view``, ``gateway.pages.bar_chart`` and ``gateway.pages.page_answer``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.errors import CODES
from gateway.pages.bar_chart import scale_of
from gateway.pages.statistics_csv import neutralise
from tests.support.pages import LOCAL, ParsedPage
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, Rows, World, world

Row = dict[str, object]


def divorces(count: int, **columns: str) -> list[Row]:
    usual = {
        "event_type": "DIVORCE",
        "status": "VALID",
        "divorce_kind": "CONTESTED",
        "registration_date": "2025-05-05",
        **columns,
    }
    return [{"event_id": f"{sorted(usual.items())} {each}", **usual} for each in range(count)]


#: 4 foreign divorces are suppressed, and so is the smaller kind, which would tell them.
MANY: Rows = {
    "civil_status": {
        "divorces": [
            *divorces(703),
            *divorces(208, divorce_kind="CONSENSUAL"),
            *divorces(4, divorce_kind="FOREIGN"),
            *divorces(61, registration_date="2024-01-01"),
        ]
    }
}


@pytest.fixture
def known() -> World:
    return world(MANY)


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE) as started:
        tokens = {
            "analyst": started.token("statistics", purposes=()),
            "citizens": {},
        }
        (started.folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
        yield started


async def get(gateway: Running, *choice: str, file: str = "", query: str = "as=analyst"
              ) -> httpx2.Response:  # fmt: skip
    parts = "&".join(filter(None, (query, *choice)))
    return await gateway.client.get(f"{LOCAL}/statistics{file}?{parts}")


DIVORCES = "record=civil_status.divorces"
BY_KIND = (DIVORCES, "by=DIVORCE_KIND", "show=1")


def figures(answer: httpx2.Response) -> list[str]:
    """Return what each cell of the table says."""
    cells = answer.text.split("<tbody>")[1].split("</tbody>")[0].split("<td")[1:]
    return [cell.split(">", 1)[1].split("</td>")[0].strip() for cell in cells]


async def test_the_form_offers_the_records_and_then_the_dimensions_of_one(gateway: Running) -> None:
    first = await get(gateway)
    values = {tags.get("value") for tag, tags in ParsedPage.of(first.text).tags if tag == "option"}
    assert {f"civil_status.{record.name}" for record in CIVIL_STATUS.records} <= values
    chosen = ParsedPage.of((await get(gateway, DIVORCES)).text)
    boxes = [tags["value"] for tag, tags in chosen.tags if tags.get("type") == "checkbox"]
    assert boxes == ["YEAR", "STATUS", "DIVORCE_KIND"]
    assert gateway.journal() == []


async def test_figures_stand_in_a_table_and_in_a_chart_with_words(gateway: Running) -> None:
    answer = await get(gateway, *BY_KIND)
    page = ParsedPage.of(answer.text)
    assert answer.status_code == 200
    counts = [text for text in figures(answer) if text[0].isdigit()]
    assert counts
    assert all(int(text.replace(".", "")) % 5 == 0 for text in counts)
    assert ("th", {"scope": "row"}) in page.tags
    (chart,) = [tags for tag, tags in page.tags if tag == "svg" and tags.get("class") == "bars"]
    assert "Lớn nhất: " in str(chart["aria-label"])
    assert "01/11/2026" in page.text
    assert "Đã trả lời" in page.text
    assert "Luật Hộ tịch" in page.text
    (entry,) = gateway.journal()
    assert entry["sections"] == {"civil_status.divorces": "ANSWERED"}


async def test_a_suppressed_cell_is_nowhere_a_number(gateway: Running) -> None:
    answer = await get(gateway, DIVORCES, "by=YEAR", "by=DIVORCE_KIND", "show=1")
    file = await get(gateway, DIVORCES, "by=YEAR", "by=DIVORCE_KIND", file=".csv")
    rows = table_of(file)
    suppressed = {
        (row["YEAR title"], row["DIVORCE_KIND title"]) for row in rows if not row["count"]
    }
    assert {row["state"] for row in rows} == {"SHOWN", "SUPPRESSED"}
    assert all((row["state"] == "SHOWN") is bool(row["count"]) for row in rows)
    assert all(row["count"] not in {"0", "4"} for row in rows)
    assert len([text for text in figures(answer) if text == "ẩn"]) == len(suppressed)
    bars = answer.text.split('class="bars"')[1].split("</svg>")[0]
    for title in bars.split("<title>")[1:]:
        words, _, said = title.split("</title>")[0].rpartition(": ")
        year, _, kind = words.partition(", ")
        assert ((year, kind.lower()) in {(y, k.lower()) for y, k in suppressed}) is (said == "ẩn")
    stubs = [each for each in bars.split("<rect ")[1:] if each.startswith('class="stub"')]
    assert len({each.split('height="')[1].split('"')[0] for each in stubs}) == 1


async def test_a_silent_database_is_said_everywhere_and_never_zero(
    gateway: Running, known: World
) -> None:
    known.of("civil_status").fault = "down"
    page = await get(gateway, *BY_KIND)
    assert page.status_code == 200
    assert figures(page) == ['<em class="unknown">Không trả lời được</em>']
    assert 'class="bars"' not in page.text
    assert "Đây không phải là số 0." in page.text
    assert "Cơ sở dữ liệu không trả lời." in page.text
    file = await get(gateway, *BY_KIND, file=".csv")
    assert {(row["count"], row["state"]) for row in table_of(file)} == {("", "UNAVAILABLE")}
    assert "This is not 0." in file.text
    assert "Records in total: UNAVAILABLE" in file.text


async def test_what_the_law_withholds_is_said(gateway: Running) -> None:
    page = await get(gateway, "record=civil_status.adoptions", "show=1")
    assert "Không được cung cấp theo luật" in page.text
    assert "0</strong>" not in page.text


REFUSALS = [
    pytest.param((DIVORCES, "by=MOOD"), "no dimension: MOOD", id="a dimension that it lacks"),
    pytest.param((DIVORCES, "by=YEAR", "from=2025", "to=2024"), "not be later", id="reversed"),
    pytest.param((DIVORCES, "by=STATUS", "from=2024"), "counted by year", id="years without YEAR"),
    pytest.param((DIVORCES, "by=YEAR", "from=lately"), "such as 2025", id="no year"),
    pytest.param((DIVORCES, "by=YEAR", f"from={'9' * 5000}"), "such as 2025", id="endless year"),
    pytest.param(
        ("record=civil_status.births", "by=YEAR", "by=STATUS", "by=SEX", "by=PROVINCE"),
        "three dimensions at most", id="four",
    ),
    pytest.param(
        ("record=civil_status.births", "by=PROVINCE", "by=PROVINCE_BEFORE"),
        "do not stand together", id="coarser",
    ),
    pytest.param(("record=civil_status.wishes",), "no such kind", id="no record"),
    pytest.param(("record=%00%ff",), "no such kind", id="rubbish"),
]  # fmt: skip


@pytest.mark.parametrize(("choice", "says"), REFUSALS)
@pytest.mark.parametrize("file", ["", ".csv"])
async def test_bad_choices_are_refused_beside_their_field(
    gateway: Running, choice: tuple[str, ...], says: str, file: str
) -> None:
    answer = await get(gateway, *choice, "show=1", file=file)
    assert answer.status_code == 422
    assert says in ParsedPage.of(answer.text).text
    assert "INVALID_VA" in answer.text
    assert "Giá trị không hợp lệ." in answer.text or "Biến không hợp lệ." in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_years_that_do_not_stand_by_themselves_are_not_none(gateway: Running) -> None:
    answer = await get(gateway, DIVORCES, "by=YEAR", "from=1950", "to=1960", "show=1")
    assert "Không năm nào trong khoảng này đứng riêng" in answer.text
    file = await get(gateway, DIVORCES, "by=YEAR", "from=1950", "to=1960", file=".csv")
    assert "This is not 0." in file.text


@pytest.mark.parametrize("file", ["", ".csv"])
async def test_who_may_not_count_learns_what_is_missing_and_who_grants_it(
    gateway: Running, file: str
) -> None:
    clerk = {"authorization": f"Bearer {gateway.token('population:read')}"}
    address = f"{LOCAL}/statistics{file}?{'&'.join(BY_KIND)}"
    refused = await gateway.client.get(address, headers=clerk)
    assert refused.status_code == 403
    assert "FORBIDDEN" in refused.text
    assert "Đơn vị vận hành cổng tra cứu cấp quyền này." in refused.text
    assert 'id="count"' not in refused.text
    stranger = await gateway.client.get(address)
    assert stranger.status_code == 401
    assert CODES["UNAUTHENTICATED"].en in stranger.text
    bad = await gateway.client.get(address, headers={"authorization": "Bearer x"})
    assert bad.status_code == 401
    assert "TOKEN_INVALID" in bad.text


async def test_without_a_scope_the_form_is_not_shown(gateway: Running) -> None:
    clerk = {"authorization": f"Bearer {gateway.token('population:read')}"}
    answer = await gateway.client.get(f"{LOCAL}/statistics", headers=clerk)
    assert answer.status_code == 200
    assert "Cần quyền statistics." in answer.text
    assert "f-record" not in answer.text


def table_of(answer: httpx2.Response) -> list[dict[str, str]]:
    """Return the rows of a file, by their header."""
    lines = answer.content.decode("utf-8-sig").split("\r\n")
    return list(csv.DictReader(io.StringIO("\n".join(each for each in lines if each[:1] != "#"))))


async def test_the_file_has_its_method_date_source_and_law_at_its_head(gateway: Running) -> None:
    answer = await get(gateway, *BY_KIND, file=".csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="statistics-civil_status-divorces-2026-11-01.csv"'
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf# ")
    assert answer.content.count(b"\n") == answer.content.count(b"\r\n")
    head = [line for line in answer.content.decode("utf-8-sig").split("\r\n") if line[:1] == "#"]
    for says in ("Ministry of Justice", "Luật Hộ tịch", "before: 2026-11-01", "multiple of 5"):
        assert any(says in line for line in head), says
    english = await get(gateway, *BY_KIND, "lang=en", file=".csv")
    assert [row["count"] for row in table_of(english)] == [row["count"] for row in table_of(answer)]


async def test_both_languages_keep_the_choice(gateway: Running) -> None:
    answer = await get(gateway, *BY_KIND, "lang=en")
    page = ParsedPage.of(answer.text)
    assert "Records dated before 1 November 2026" in page.text
    assert "suppressed" in page.text
    (other,) = [link for link in page.links if "show=1" in link and "csv" not in link]
    assert "lang=en" not in other
    assert "by=DIVORCE_KIND" in other
    assert "as=analyst" in other


def test_what_begins_like_a_formula_is_text() -> None:
    for text in ("=1+1", "+1", "-1", "@a", "\t=1"):
        assert neutralise(text) == f"'{text}"
    assert neutralise("Hà Nội") == "Hà Nội"


@pytest.mark.parametrize("highest", [10, 15, 99, 100, 101, 12_345, 999_995])
def test_a_scale_reaches_the_highest_bar_in_few_steps(highest: int) -> None:
    scale = scale_of(highest)
    assert scale[-1] >= highest
    assert 2 <= len(scale) <= 5
    assert scale[-1] - highest < scale[0]
