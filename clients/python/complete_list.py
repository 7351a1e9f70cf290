"""Read a list out of an answer of justice-gateway; a short list never passes for a whole one."""

from collections.abc import Mapping
from typing import Any


class NotKnown(Exception):
    """The answer does not say it: an error's code, a state, TRUNCATED or NEXT_PAGE says why."""


def complete_list(body: Mapping[str, Any], *path: str | int) -> tuple[list[Any], list[str]]:
    """Return the records of the list at ``path``, and the codes of its person's notices.

    Raises NotKnown where the list may lack records, or something in them is denied.
    """
    for error in body.get("errors", ()):
        at, lists = tuple(error.get("path", ())), error["extensions"].get("lists")
        concerns = at == path[: len(at)] or at[: len(path)] == path
        if concerns and (lists is None or ".".join(map(str, path[len(at) :])) in lists):
            raise NotKnown(error["extensions"]["code"])
    notices: list[Any] = []
    for mirrored in body.get("extensions", {}).get("notices", ()):
        if tuple(mirrored["path"]) == path[: len(mirrored["path"])]:
            notices += mirrored["notices"]
    part = body["data"]
    for step in path:
        part = part[step]
        notices += part.get("notices", ()) if isinstance(part, dict) else ()
    if part["source"]["state"] != "ANSWERED" or part["items"] is None or part["truncated"]:
        raise NotKnown("TRUNCATED" if part["truncated"] else part["source"]["state"])
    return part["items"], [notice["code"] for notice in notices]
