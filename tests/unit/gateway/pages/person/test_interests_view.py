"""``/me`` says who follows the citizen; a store that is silent is not nobody."""

from __future__ import annotations

from pathlib import Path

from tests.support.event_documents import following, register
from tests.support.pages import ParsedPage
from tests.support.person_pages import own_view, recorded_rows
from tests.support.worlds import world


async def test_citizens_see_who_follows_them(tmp_path: Path) -> None:
    async with following(tmp_path, world(recorded_rows())) as feeds:
        text = ParsedPage.of((await own_view(feeds.gateway)).text).text
        assert "Ai đang theo dõi sự kiện của tôi" in text
        assert "Không có ai theo dõi." in text
        await register(feeds)
        text = ParsedPage.of((await own_view(feeds.gateway)).text).text
        assert "Theo dõi: khai tử, đặt ngăn chặn; đến" in text
        assert "Không có ai theo dõi." not in text
        (tmp_path / "interests/interests.sqlite").write_bytes(b"no database" * 100)
        text = ParsedPage.of((await own_view(feeds.gateway)).text).text
        assert "chưa biết ai đang theo dõi" in text
        assert "Không có ai theo dõi." not in text
