"""The bodies of a provider's service for changes over X-Road: requests and answers, as JSON.

docs/reference/change-sources.md specifies them for providers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.backends.record_maps import StoredTable
from connectors.changes.change import Change, ChangeOperation, ChangePage, UnreadableChange
from connectors.changes.json_rows import decode_object, load_object
from connectors.codec import Unreadable, encode_text
from connectors.description import Record, Row
from connectors.xroad.messages import MalformedMessage

#: What a provider answers, with 410, where it no longer has what came after a checkpoint.
CHECKPOINT_LOST = "CHECKPOINT_LOST"


@dataclass(frozen=True, slots=True)
class ChangesRequest:
    """A request for at most ``most`` changes after a checkpoint.

    ``after``: None: for the checkpoint of now, and no changes.
    """

    records: tuple[str, ...]
    after: str | None
    most: int


def changes_request(records: Collection[str], after: str | None, most: int) -> bytes:
    """Return the body that requests changes of ``records``."""
    return orjson.dumps({"records": sorted(records), "after": after, "most": most})


def parse_changes_request(body: bytes) -> ChangesRequest:
    """Parse a request; raises MalformedMessage."""
    try:
        content = orjson.loads(body)
        records, after, most = content["records"], content["after"], content["most"]
    except (ValueError, TypeError, KeyError):
        raise MalformedMessage("no request for changes") from None
    is_text = after is None or isinstance(after, str)
    if not isinstance(records, list) or not is_text or not isinstance(most, int) or most < 1:
        raise MalformedMessage("no request for changes")
    return ChangesRequest(tuple(map(str, records)), after, most)


def change_entry(
    record: Record,
    operation: str,
    identity: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    committed_at: datetime,
) -> dict[str, object]:
    """Return a change as answers have it, without its position; rows hold every column."""
    rows = (
        None if row is None else {c.name: encode_text(row.get(c.name)) for c in record.columns}
        for row in (before, after)
    )
    old, new = rows
    return {
        "record": record.name,
        "operation": operation,
        "identity": identity,
        "before": old,
        "after": new,
        "committedAt": committed_at.astimezone(UTC).isoformat(),
    }


def changes_answer(
    entries: Sequence[Mapping[str, object]],
    checkpoint: str,
    complete_until: datetime | None,
    has_more: bool,
) -> bytes:
    """Return the body that answers with ``entries``."""
    return orjson.dumps(
        {
            "changes": entries,
            "checkpoint": checkpoint,
            "completeUntil": complete_until and complete_until.astimezone(UTC).isoformat(),
            "hasMore": has_more,
        }
    )


def parse_changes(tables: Mapping[str, StoredTable], most: int, body: bytes) -> ChangePage:
    """Parse an answer; raises MalformedMessage.

    A row that cannot be read, or that leaves out a column, is a change of somebody.
    """
    try:
        content: Any = load_object(body)
        entries, checkpoint, has_more = (content[n] for n in ("changes", "checkpoint", "hasMore"))
        if not isinstance(checkpoint, str) or not isinstance(has_more, bool):
            raise TypeError
        if len(entries) > most:
            raise ValueError
        changes = [_change(tables[entry["record"]], entry) for entry in entries]
        return ChangePage(changes, checkpoint, _moment(content["completeUntil"]), has_more)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedMessage(f"no such answer ({type(error).__name__})") from None


def _change(stored: StoredTable, entry: Mapping[str, Any]) -> Change | UnreadableChange:
    record, position = stored.record, entry["position"]
    operation, identity = ChangeOperation(entry["operation"]), entry["identity"]
    if not isinstance(position, str) or not isinstance(identity, str):
        raise TypeError
    try:
        after = _row(stored, entry["after"])
    except Unreadable as error:
        return UnreadableChange(record, position, str(error))
    if after is None and operation is not ChangeOperation.DELETE:
        raise ValueError
    try:
        before = _row(stored, entry["before"])
    except Unreadable:
        before = None  # what the row was then is not known, but that there was one
        if operation is ChangeOperation.WRITE:
            operation = ChangeOperation.UPDATE
    moment = _moment(entry["committedAt"])
    return Change(record, operation, identity, before, after, position, moment)


def _row(stored: StoredTable, values: Any) -> Row | None:
    return None if values is None else decode_object(stored, values)


def _moment(stated: object) -> datetime | None:
    if stated is None:
        return None
    moment = datetime.fromisoformat(str(stated))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)
