"""Follow life events of justice-gateway; silence never passes for "nothing happened"."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

_QUERY = """query($after: String) { lifeEvents(after: $after) {
  edges { node { id kind date database { name } record person { id } since } }
  pageInfo { hasNextPage endCursor } isWaiting interests denied { kind database state }
  sources { database { name } state completeUntil } } }"""


class NotKnown(Exception):
    """The answer does not say it: an error's code, NO_INTEREST or DENIED says why."""


def ask(url: str, headers: dict[str, str], after: str | None) -> dict[str, Any]:
    """Return a page of the feed. ``headers``: Authorization and X-Purpose."""
    body = json.dumps({"query": _QUERY, "variables": {"after": after}}).encode()
    sent = urllib.request.Request(  # noqa: S310 - the URL is the caller's own
        url, body, {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(sent) as reply:  # noqa: S310 - the same
        answer: dict[str, Any] = json.load(reply)
    for error in answer.get("errors", ()):
        raise NotKnown(error["extensions"]["code"])
    page: dict[str, Any] = answer["data"]["lifeEvents"]
    if page["interests"] == 0:
        raise NotKnown("NO_INTEREST")
    denied = [each["kind"] for each in page["denied"] if each["state"] != "INCOMPLETE"]
    if denied:
        raise NotKnown("DENIED " + " ".join(denied))
    return page


def follow(
    url: str, headers: dict[str, str], after: str | None, seconds: float = 60, rounds: int = -1
) -> Iterator[tuple[list[dict[str, Any]], str, dict[str, str | None]]]:
    """Yield events, the cursor to keep once they are handled, and until when they are complete.

    An event may come twice, with the same id. EVENTS_MISSED among them, and NotKnown
    CURSOR_EXPIRED: read the people again. Where ``completeUntil`` is None nothing follows from
    silence, as where a database can never tell some of the events.
    """
    while rounds:
        page = ask(url, headers, after)
        after = page["pageInfo"]["endCursor"]
        complete = {each["database"]["name"]: each["completeUntil"] for each in page["sources"]}
        complete |= dict.fromkeys(each["database"] for each in page["denied"])
        yield [edge["node"] for edge in page["edges"]], after, complete
        rounds -= 1
        if rounds and (page["isWaiting"] or not page["pageInfo"]["hasNextPage"]):
            time.sleep(seconds)
