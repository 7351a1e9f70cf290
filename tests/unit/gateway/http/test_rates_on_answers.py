"""Rates, quotas and admission over HTTP."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from gateway.settings import Limits, RateLimits
from tests.support.running import OPERATOR, codes, running

QUERY = "{ databases { name } }"


async def test_every_answer_says_how_the_allowance_stands(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(requests_per_minute=10)) as gateway:
        token = gateway.token(*OPERATOR)
        for remaining, query in ((9, QUERY), (8, "{ nonsense }"), (7, "{")):
            answer = await gateway.post(query, token=token)
            assert answer.headers["ratelimit-remaining"] == str(remaining)
            assert answer.headers["ratelimit-policy"] == "10;w=60"


async def test_who_asks_too_often_is_refused_with_the_time_to_come_back(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(requests_per_minute=2)) as gateway:
        token = gateway.token(*OPERATOR)
        for _ in range(2):
            assert (await gateway.post(QUERY, token=token)).status_code == 200
        answer = await gateway.post(QUERY, token=token)
        assert answer.status_code == 429
        assert codes(answer.json()) == ["RATE_LIMITED"]
        assert answer.headers["ratelimit-remaining"] == "0"
        gateway.clock.advance(int(answer.headers["retry-after"]))
        assert (await gateway.post(QUERY, token=token)).status_code == 200


async def test_bad_tokens_count_among_the_anonymous(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(anonymous_per_minute=2)) as gateway:
        bad = await gateway.post(QUERY, token="nonsense")
        assert (bad.status_code, bad.headers["ratelimit-remaining"]) == (401, "1")
        assert (await gateway.post(QUERY)).status_code == 200
        assert (await gateway.post(QUERY, token="nonsense")).status_code == 429
        assert (await gateway.post(QUERY)).status_code == 429
        assert (await gateway.post(QUERY, token=gateway.token(*OPERATOR))).status_code == 200


async def test_a_full_gateway_refuses_at_once(tmp_path: Path) -> None:
    limits = Limits(deadline=120, new_documents_per_minute=1_000_000)
    async with running(tmp_path, rates=RateLimits(in_flight=2), limits=limits) as gateway:
        token = gateway.token(*OPERATOR)
        with ExitStack() as stack:
            for client in ("one", "another"):
                stack.enter_context(gateway.service.admission.admit(client))
            answer = await gateway.post(QUERY, token=token)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert codes(answer.json()) == ["GATEWAY_BUSY"]
        assert (await gateway.post(QUERY, token=token)).status_code == 200
        assert gateway.service.admission.in_flight == 0
