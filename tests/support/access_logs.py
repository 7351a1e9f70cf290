"""Officers who look people up, and people who read their access logs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from gateway.access.tokens import issue
from gateway.audit.copy.database import Copy
from gateway.audit.copy.registration import CopyRegistration
from gateway.keys.keyring import load_signing
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Audit
from tests.support.people import HOA
from tests.support.running import OFFICER, Running, running

#: The first answer waits until the copy has its tables and the row of the journal.
COPIED = Audit(copy_url="sqlite:///copy.sqlite", timeout=20)
AGENCY = "UBND phường"
PAGE = """items { at agency purpose purposeTitle { vi en } caseNumber role sections requestId }
  next state completeUntil"""
OWN_LOG = f"""query($first: Int! = 20, $after: String) {{
  me {{ accessLog(first: $first, after: $after) {{ {PAGE} }} }} }}"""
PERSON_LOG = f"query($id: PersonNumber!) {{ person(id: $id) {{ accessLog {{ {PAGE} }} }} }}"
NAME = (
    "query($id: PersonNumber!) { person(id: $id) { population { identity { source { state } } } } }"
)
#: A husband's marriages, and of his wife in them no more than who she is.
MARRIAGES = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages { items {
  wife { person { population { identity { item { fullName } } } } } } } } } }"""


def logged(
    folder: Path, *arguments: Any, audit: Audit = COPIED, **settings: Any
) -> AbstractAsyncContextManager[Running]:
    """Run a gateway that copies its journal."""
    return running(folder, *arguments, audit=audit, **settings)


async def remember_copy(folder: Path, audit: Audit = COPIED) -> None:
    """Begin the journal in ``folder`` as if its copy had been reached, which need not be there."""
    async with running(folder) as gateway:
        service = gateway.service
        copied = service.resources.settings.model_copy(update={"audit": audit})
        copy = Copy.from_settings(copied)
        assert copy is not None
        journal = service.audit.journal
        CopyRegistration(journal.folder, journal.id, copy.place).remember()
        await copy.close()


async def look_up(
    gateway: Running,
    number: str = HOA,
    query: str = NAME,
    scopes: tuple[str, ...] = OFFICER,
    purpose: str = UNIFIED,
    case: str = "HS-1",
    **variables: object,
) -> str:
    """Ask for a person as an officer, a minute after the one before; returns the request id."""
    gateway.clock.advance(60)
    settings = gateway.service.resources.settings
    token = issue(
        load_signing(settings, "token")[0],
        settings.access,
        gateway.clock.now(),
        subject="officer-1",
        client="test-client",
        agency=AGENCY,
        scopes=scopes,
        purposes=[purpose],
    )
    reply = await gateway.post(
        query, {"id": number, **variables}, token, x_purpose=purpose, x_case_number=case
    )
    return str(reply.headers["x-request-id"])


async def own_answer(
    gateway: Running, number: str = HOA, query: str = OWN_LOG, **variables: object
) -> dict[str, Any]:
    """Ask as the citizen with ``number`` and return the body of the answer."""
    token = gateway.token("me", subject=number)
    reply = await gateway.post(query, variables, token, x_purpose="", x_case_number="")
    body: dict[str, Any] = reply.json()
    return body


async def own_log(gateway: Running, number: str = HOA, **variables: object) -> dict[str, Any]:
    """Return the access log that the citizen with ``number`` sees; nothing may be amiss."""
    body = await own_answer(gateway, number, OWN_LOG, **variables)
    assert "errors" not in body, body
    log: dict[str, Any] = body["data"]["me"]["accessLog"]
    return log


def logged_requests(log: Mapping[str, Any], role: str | None = None) -> list[str]:
    """Return the request ids in a log but those of the person's own view; or those in ``role``."""
    items = [item for item in log["items"] if role or item["role"] not in {"OWN", "REPRESENTED"}]
    return [item["requestId"] for item in items if role in {None, item["role"]}]
