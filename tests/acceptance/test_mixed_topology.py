"""The topology of docker-compose.yml, by local processes: the same answers, and servers that go.

PostgreSQL, MariaDB, a file, two databases over X-Road by mutual TLS, Redis, two gateways behind
nginx; each a process of its own. Takes about a minute.
"""

from __future__ import annotations

import sqlite3
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import httpx2
import pytest

from gateway.access.tokens import issue
from gateway.keys.keyring import load_signing
from gateway.runtime.clock import SystemClock
from gateway.settings import load as load_settings
from tests.acceptance.test_personas import ME
from tests.support.process import Process, demo_process
from tests.support.server_processes import wait
from tests.support.topology import Topology, topology

#: What each server's databases are called in an answer.
SECTIONS = {
    "postgres": {"civilStatus", "securityMeasures", "notary"},
    "mariadb": {"civilEnforcement"},
    "population-xroad": {"population"},
    "violations-xroad": {"administrativeViolations"},
    "redis": set(),
    "gateway-1": set(),
}
STATES = """{ me { population { source { state } } civilStatus { source { state } }
  securityMeasures { source { state } } legalAid { source { state } }
  civilEnforcement { source { state } } administrativeViolations { source { state } }
  notary { source { state } } } }"""
_RECOVERS_WITHIN = 5.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with demo_process(tmp_path_factory.mktemp("embedded") / ".demo") as process:
        yield process


@pytest.fixture(scope="module")
def site(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    folder = tmp_path_factory.mktemp("site")
    with topology(folder, demo.folder / "databases") as running:
        yield running


def ask(url: str, token: str, query: str, trust: ssl.SSLContext | bool = True) -> httpx2.Response:
    return httpx2.post(
        f"{url}/graphql",
        json={"query": query},
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
        verify=trust,
    )


@pytest.mark.long
@pytest.mark.services
def test_every_persona_sees_the_same_as_with_the_embedded_default(
    demo: Process, site: Topology
) -> None:
    assert len(demo.tokens["citizens"]) > 10
    for number, token in demo.tokens["citizens"].items():
        embedded = ask(demo.url, token, ME)
        mixed = ask(site.url, site.token(number), ME, site.trust)
        assert embedded.status_code == mixed.status_code
        assert mixed.json() == embedded.json()
        assert mixed.json()["data"]["me"]["id"] == number


@dataclass
class Load:
    """Citizens who ask again and again: what they were answered."""

    statuses: set[int] = field(default_factory=set)
    #: Section -> the states that were seen since last cleared.
    states: dict[str, set[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)
    count: int = 0
    #: How many answers in a row had everything, as far as the last.
    whole: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether both gateways have everything: each has its own view of what is there."""
        return self.whole > 10

    def take(self, answer: httpx2.Response) -> None:
        self.statuses.add(answer.status_code)
        body: dict[str, Any] = answer.json() if answer.is_success else {}
        me = (body.get("data") or {}).get("me")
        if me is None:
            self.errors.append(f"{answer.status_code} {answer.text[:500]}")
            return
        last = {name: section["source"]["state"] for name, section in me.items()}
        for name, state in last.items():
            self.states.setdefault(name, set()).add(state)
        self.last = last
        self.count += 1
        self.whole = self.whole + 1 if set(last.values()) == {"ANSWERED"} else 0


@contextmanager
def load(site: Topology, tokens: list[str]) -> Iterator[Load]:
    """Ask as four citizens at once until the block ends."""
    is_over, running_load = threading.Event(), Load()

    def go_on(token: str) -> None:
        while not is_over.is_set():
            running_load.take(ask(site.url, token, STATES, site.trust))

    threads = [threading.Thread(target=go_on, args=(item,)) for item in tokens]
    for item in threads:
        item.start()
    try:
        yield running_load
    finally:
        is_over.set()
        for item in threads:
            item.join(60)


@pytest.mark.long
@pytest.mark.services
@pytest.mark.parametrize("name", SECTIONS)
def test_a_server_that_is_killed_costs_its_own_lists_only_and_is_back_in_time(
    demo: Process, site: Topology, name: str
) -> None:
    tokens = [site.token(number) for number in list(demo.tokens["citizens"])[:4]]
    own_lists = SECTIONS[name]
    with load(site, tokens) as running_load:
        wait(lambda: running_load.is_whole, "a good start")
        site.servers[name].kill()
        running_load.states.clear()
        before = running_load.count
        wait(
            lambda: all(running_load.last[list_name] != "ANSWERED" for list_name in own_lists),
            "its lists going",
        )
        wait(lambda: running_load.count > before + 20, "more answers")
        site.servers[name].start()
        start = time.monotonic()
        wait(lambda: running_load.is_whole, "all coming back", _RECOVERS_WITHIN)
        duration = time.monotonic() - start
    assert running_load.errors == []
    assert running_load.statuses <= {200, 294}
    other_states = {
        state
        for list_name, states in running_load.states.items()
        if list_name not in own_lists
        for state in states
    }
    # Without the population nobody is identified: no list of any database says "none".
    incomplete = {"INCOMPLETE"} if "population" in own_lists else set()
    assert other_states - {"ANSWERED"} == incomplete
    for list_name in own_lists:
        assert (
            running_load.states[list_name] <= {"ANSWERED", "UNAVAILABLE", "TIMED_OUT"} | incomplete
        )
    print(f"{name}: all back {duration:.2f} s after it listened again")
    assert duration < _RECOVERS_WITHIN


CASES = "{ me { legalAid { cases { items { caseNo subject } source { state fromCache } } } } }"


@dataclass(frozen=True)
class Cases:
    """What a gateway answers about a citizen's legal aid."""

    subjects: list[str]
    cached: bool


def cases(site: Topology, gateway: str, citizen: str) -> Cases:
    url = f"http://127.0.0.1:{site.servers[gateway].port}"
    record_list = ask(url, site.token(citizen), CASES).json()["data"]["me"]["legalAid"]["cases"]
    assert record_list["source"]["state"] == "ANSWERED"
    return Cases(
        [item["subject"] for item in record_list["items"]], record_list["source"]["fromCache"]
    )


def _is_past(moment: datetime) -> bool:
    return SystemClock().now() > moment


@pytest.mark.long
@pytest.mark.services
def test_what_an_owner_invalidates_at_one_gateway_no_gateway_serves_after_it_is_effective(
    demo: Process, site: Topology
) -> None:
    citizen = next(
        item["id"]
        for item in demo.personas
        if "legal_aid" in item["tags"] and item["id"] in demo.tokens["citizens"]
    )
    settings = load_settings(site.config)
    owner = issue(
        load_signing(settings, "token")[0],
        settings.access,
        SystemClock().now(),
        subject="legal-aid-system",
        client="legal-aid-system",
        scopes=("legal_aid:invalidate",),
    )
    gateways = ("gateway-1", "gateway-2")
    before = [cases(site, item, citizen).subjects for item in gateways for _ in range(3)][-1]
    assert before
    file = demo.folder / "databases" / "legal_aid.sqlite"
    for turn in range(5):
        with sqlite3.connect(file) as database:
            new_subjects = [f"Lần {turn}"] * len(before)
            database.execute(
                "UPDATE cases SET subject = ? WHERE beneficiary_id = ?", (new_subjects[0], citizen)
            )
        database.close()
        if turn:
            assert cases(site, gateways[turn % 2], citizen).subjects != new_subjects, "it is cached"
        answer = httpx2.post(
            f"http://127.0.0.1:{site.servers['gateway-1'].port}/invalidations",
            json={"database": "legal_aid", "persons": [citizen]},
            headers={"authorization": f"Bearer {owner}"},
            timeout=30,
            trust_env=False,
        )
        effective = datetime.fromisoformat(answer.json()["effectiveBy"])
        wait(partial(_is_past, effective), "its being effective")
        for _ in range(5):
            assert [cases(site, item, citizen).subjects for item in gateways] == [new_subjects] * 2
        assert cases(site, "gateway-2", citizen).cached
