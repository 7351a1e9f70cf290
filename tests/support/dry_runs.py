"""Dry runs of documents, about a person with a row in many lists."""

from __future__ import annotations

from typing import Any

from tests.support.hidden_rows import (
    adopted,
    aided,
    common,
    once_sanctioned,
    who_made_a_will,
)
from tests.support.people import LAN
from tests.support.running import Running
from tests.support.worlds import Rows, World, together, world

CHILD = "001220000001"
GUARDIANSHIP, CHECK, ADOPTION = "1.004837", "no-sanction-check", "2.001263"
NOTHING_STATED = {"x_purpose": "", "x_case_number": ""}
TRIAL = """query($document: String!, $name: String, $purpose: String) { myAccess {
  trial(document: $document, operationName: $name, purpose: $purpose) {
    code message { vi en } denied { path state missing } } } }"""


def child() -> World:
    """One person with a row in many a list, and the mother."""
    mother: Rows = {"population": {"identity": [{"citizen_id": LAN}]}}
    several = (common, adopted, once_sanctioned, aided, who_made_a_will)
    return world(together(mother, *(rows(CHILD) for rows in several)))


async def run_trial(
    gateway: Running,
    token: str | None,
    document: str,
    name: str | None = None,
    purpose: str | None = None,
    **stated: str,
) -> dict[str, Any]:
    variables = {"document": document, "name": name, "purpose": purpose}
    reply = await gateway.post(TRIAL, variables, token, **stated)
    body = reply.json()
    assert "errors" not in body
    result: dict[str, Any] = body["data"]["myAccess"]["trial"]
    return result
