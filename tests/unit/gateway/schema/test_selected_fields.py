"""What is selected below a field is found out in work that fragments cannot multiply."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.execution.reference import Info
from gateway.schema import selected_fields
from tests.support.people import HOA
from tests.support.running import OFFICER, running


async def test_fragments_spread_over_and_over_are_looked_into_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Levels that each spread the next one twice: five hundred million if taken literally."""
    looked: list[None] = []
    original = selected_fields._included

    def counting(info: Info, selection: object) -> bool:
        looked.append(None)
        if len(looked) > 10_000:
            raise RuntimeError("it does take them literally")
        # Whatever it is given goes on as it came: the stand-in has no types of its own.
        return original(info, selection)  # type: ignore[arg-type]

    monkeypatch.setattr(selected_fields, "_included", counting)
    chain = " ".join(f"fragment F{n} on Person {{...F{n + 1} ...F{n + 1}}}" for n in range(29))
    query = f'{{person(id: "{HOA}") {{...F0}}}} {chain} fragment F29 on Person {{id}}'
    async with running(tmp_path) as gateway:
        answer = await gateway.post(query, token=gateway.token(*OFFICER))
    assert answer.json()["data"] == {"person": {"id": HOA}}
