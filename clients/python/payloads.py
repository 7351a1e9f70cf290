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

    ``pending``: fragments that are not there yet, by id; ``failed``: those that will never be.
    Fields of both, and of fragments in them, are missing, which says nothing of what they are.
    """
    body = json.dumps({"query": query, "variables": variables}).encode()
    sent = {**headers, "Content-Type": "application/json", "Accept": _ACCEPT}
    answer: dict[str, Any] = {"pending": {}, "failed": []}
    request = Request(url, body, sent)  # noqa: S310 - the address is the gateway's
    with urlopen(request) as response:  # noqa: S310
        if response.headers.get_content_type() != "multipart/mixed":
            yield {**json.load(response), **answer}
            return
        boundary, received = f"\r\n--{response.headers.get_param('boundary')}".encode(), b""
        while True:
            *parts, received = received.split(boundary)
            for part in filter(None, parts):
                payload = json.loads(part.partition(b"\r\n\r\n")[2])
                yield _add(answer, payload)
                if not payload["hasNext"]:
                    return
            if not (piece := response.read1(65_536)):
                raise ConnectionError("the answer is not complete")
            received += piece


def _add(answer: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    answer |= {"data": payload["data"]} if "data" in payload else {}
    for name, value in payload.get("extensions", {}).items():
        extensions = answer.setdefault("extensions", {})
        extensions[name] = extensions.get(name, []) + value if name == "notices" else value
    errors = [*answer.get("errors", ()), *payload.get("errors", ())]
    answer["pending"] |= {each["id"]: each for each in payload.get("pending", ())}
    for part in payload.get("incremental", ()):
        target = answer["data"]
        for step in [*answer["pending"][part["id"]]["path"], *part.get("subPath", ())]:
            target = target[step]
        target.update(part["data"])
        errors += part.get("errors", ())
    for completed in payload.get("completed", ()):
        fragment = answer["pending"].pop(completed["id"])
        if "errors" in completed:
            answer["failed"].append({**fragment, **completed})
            errors += completed["errors"]
    answer |= {"errors": errors} if errors else {}
    return answer
