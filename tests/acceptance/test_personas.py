"""The story of every persona can be read from the answer to that persona's ``me``.

Not so, by law or by design, for four tags: wills (``testator``), adoptions (``adopted``) and orders
that protect an address (``protected``) are withheld even in the own view, and the death of a
relative other than a spouse (``bereaved``) stands in that relative's records, which a citizen does
not see. ``deceased`` and ``minor`` have no token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.process import Process
from tests.support.running import codes

ME = """{ me { id notices { code }
  population { source { state }
    identity { item { fullName birthDate maritalStatus lifeStatus } }
    earlierNumbers { items { number } }
    residences { items { address { asRecorded } } } }
  civilStatus { source { state }
    births { items { fullName birthDate citizenId } }
    marriages { items { status registrationDate endedOn endReason
      husband { citizenId } wife { citizenId } } }
    divorces { items { legalEffectDate } }
    birthsOfChildren { items { eventId mother { citizenId } father { citizenId } } } }
  securityMeasures { source { state } registrations { items { status
    parties { items { role party { citizenId } } } } } }
  legalAid { source { state } cases { items { caseNo beneficiaryCategory } } }
  civilEnforcement { source { state } cases { items { decisionNo status
    parties { items { role party { citizenId } } } } } }
  administrativeViolations { source { state } sanctions { items { decisionNo
    violator { citizenId }
    executions { items { completedOn expiredOn } } } } }
  notary { source { state }
    transactions { items { notarialNo kind parties { items { party { citizenId } } } } }
    assets { items { assetId preventiveInfosOnAsset { items { level status } } } } } } }"""

Me = dict[str, Any]


def items(me: Me, section: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = me[section][name]["items"]
    return rows


def roles(me: Me, section: str, name: str) -> set[str]:
    """Return the roles in which the citizen is a party of what the list holds."""
    return {
        party["role"]
        for item in items(me, section, name)
        for party in item["parties"]["items"]
        if party["party"] and party["party"]["citizenId"] in own_numbers(me)
    }


def own_numbers(me: Me) -> set[str]:
    return {me["id"], *(item["number"] for item in items(me, "population", "earlierNumbers"))}


def is_married(me: Me) -> bool:
    marriages = items(me, "civilStatus", "marriages")
    return any(
        marriage["status"] != "REVOKED" and marriage["endedOn"] is None for marriage in marriages
    )


def is_divorced(me: Me) -> bool:
    end_reasons = [marriage["endReason"] for marriage in items(me, "civilStatus", "marriages")]
    return bool(items(me, "civilStatus", "divorces")) or bool(
        {"DIVORCE", "ANNULMENT"} & {*end_reasons}
    )


def is_widowed(me: Me) -> bool:
    end_reasons = {marriage["endReason"] for marriage in items(me, "civilStatus", "marriages")}
    status = me["population"]["identity"]["item"]["maritalStatus"]
    return bool({"DEATH_OF_SPOUSE", "DECLARED_DEAD"} & end_reasons) or status == "WIDOWED"


def has_blocked_asset(me: Me) -> bool:
    return any(
        info["level"] == "BLOCK" and info["status"] == "ACTIVE"
        for asset in items(me, "notary", "assets")
        for info in asset["preventiveInfosOnAsset"]["items"]
    )


def has_records_under_an_old_number(me: Me) -> bool:
    text = str({name: part for name, part in me.items() if name != "population"})
    return any(number in text for number in own_numbers(me) - {me["id"]})


STORIES: dict[str, Callable[[Me], bool]] = {
    "married": is_married,
    "divorced": is_divorced,
    "widowed": is_widowed,
    "old_number": has_records_under_an_old_number,
    "debtor": lambda me: "DEBTOR" in roles(me, "civilEnforcement", "cases"),
    "secured_party": lambda me: bool(items(me, "securityMeasures", "registrations")),
    "fined": lambda me: bool(items(me, "administrativeViolations", "sanctions")),
    "fined_expired": lambda me: bool(items(me, "administrativeViolations", "sanctions")),
    "legal_aid": lambda me: bool(items(me, "legalAid", "cases")),
    "notarised": lambda me: bool(items(me, "notary", "transactions")),
    "blocked_asset": has_blocked_asset,
}
ALL_TAGS = {
    "married", "divorced", "widowed", "deceased", "minor", "debtor", "secured_party", "fined",
    "fined_expired", "legal_aid", "notarised", "blocked_asset", "testator", "adopted", "old_number",
    "conflicting_data", "protected", "bereaved",
}  # fmt: skip


def test_every_agreed_tag_has_a_persona(demo: Process) -> None:
    assert {tag for persona in demo.personas for tag in persona["tags"]} >= ALL_TAGS


def test_every_story_can_be_read_off_the_personas_own_view(demo: Process) -> None:
    unread = []
    for persona in demo.personas:
        token = demo.tokens["citizens"].get(persona["id"])
        if token is None:
            continue
        body = demo.ask(ME, None, token=token)
        me = body["data"]["me"]
        # An earlier number of theirs is somebody else's too: then no list is known to be whole.
        shared = "NUMBER_SHARED" in {notice["code"] for notice in me["notices"]}
        assert set(codes(body)) == ({"NUMBER_SHARED"} if shared else set()), persona
        states = {part["source"]["state"] for part in me.values() if isinstance(part, dict)}
        assert states == {"INCOMPLETE" if shared else "ANSWERED"}, persona
        unread += [
            (persona["id"], tag)
            for tag in persona["tags"]
            if tag in STORIES and not STORIES[tag](me)
        ]
    assert unread == []
