"""The cost of finding selected fields does not multiply with fragments."""

from __future__ import annotations

from pathlib import Path

from tests.support.calls import count_calls
from tests.support.people import HOA
from tests.support.running import OFFICER, execute_field_by_field, running


async def test_fragments_spread_over_and_over_are_looked_into_once(
    tmp_path: Path,
) -> None:
    """Levels that each spread the next one twice: five hundred million if taken literally."""
    chain = " ".join(f"fragment F{n} on Person {{...F{n + 1} ...F{n + 1}}}" for n in range(29))
    query = f'{{person(id: "{HOA}") {{...F0}}}} {chain} fragment F29 on Person {{id}}'
    async with running(tmp_path, execute=execute_field_by_field) as gateway:
        with count_calls(most=200_000):
            answer = await gateway.post(query, token=gateway.token(*OFFICER))
    assert answer.json()["data"] == {"person": {"id": HOA}}
