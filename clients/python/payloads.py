"""Read an answer of justice-gateway that comes in several payloads (``@defer``)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import Request, urlopen

_ACCEPT = "multipart/mixed;incrementalSpec=v0.2, application/graphql-response+json"


def answers(
    url: str, query: str, variables: Mapping[str, Any], headers: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield the answer as far as it is known, again with each payload.

    ``pending`` in it has the path and label of each fragment that is not there yet: its fields are
    missing, which says nothing of what they will be. Only the last answer has ``pending`` empty.
    """
    body = json.dumps({"query": query, "variables": variables}).encode()
    sent = {**headers, "Content-Type": "application/json", "Accept": _ACCEPT}
    answer: dict[str, Any] = {"pending": {}}
    request = Request(url, body, sent)  # noqa: S310 - the address is the gateway's
    with urlopen(request) as response:  # noqa: S310
        if response.headers.get_content_type() != "multipart/mixed":
            yield {**json.load(response), "pending": {}}
            return
        boundary = f"\r\n--{response.headers.get_param('boundary')}".encode()
        received = b""
        while True:
            *parts, received = received.split(boundary)
            for part in filter(None, parts):
                payload = json.loads(part.partition(b"\r\n\r\n")[2])
                yield _add(answer, payload)
                if not payload["hasNext"]:
                    return
            piece = response.read1(65_536)
            if not piece:
                raise ConnectionError("the answer is not complete")
            received += piece


def _add(answer: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Add a payload to the answer."""
    if "data" in payload:
        answer |= {name: payload[name] for name in ("data", "extensions") if name in payload}
    errors = [*answer.get("errors", ()), *payload.get("errors", ())]
    answer["pending"] |= {fragment["id"]: fragment for fragment in payload.get("pending", ())}
    for part in payload.get("incremental", ()):
        target = answer["data"]
        for step in [*answer["pending"][part["id"]]["path"], *part.get("subPath", ())]:
            target = target[step]
        target.update(part["data"])
        errors += part.get("errors", ())
    for fragment in payload.get("completed", ()):
        del answer["pending"][fragment["id"]]
        errors += fragment.get("errors", ())
    if errors:
        answer["errors"] = errors
    return answer
