"""The operations that are published now: read from a folder, looked up by name or document id.

The folder is looked at every few seconds and what changed is read anew, beside the requests: each
of them goes on with the operation that it began with. A file that is refused takes nothing away:
what it published before stays, until the file is mended or removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
from graphql import GraphQLError

from gateway.access.caller import Caller
from gateway.catalogue.scopes import OWN_VIEW
from gateway.errors import GatewayError, unauthenticated
from gateway.operations.header import OperationRefused
from gateway.operations.operation import PublishedOperation
from gateway.plan.document import InvalidDocument
from gateway.procedures.procedure import national
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: Makes an operation of a file and its text; raises OperationRefused.
Publish = Callable[[Path, str], PublishedOperation]
#: What tells whether a file was changed: when, and how large it is.
_Seen = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not published, and why."""

    file: Path
    line: int
    said: str

    def __str__(self) -> str:
        """Return it as compilers write such things."""
        return f"{self.file}:{self.line}: {self.said}"


@dataclass(frozen=True, slots=True)
class OperationSet:
    """What is published at a time.

    ``by_id``: an operation under its name with version, and under the hash of its document.
    ``by_name``: its versions, the newest first. ``seen``: the files as they were then.
    """

    published: tuple[PublishedOperation, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    by_id: Mapping[str, PublishedOperation] = field(default_factory=dict)
    by_name: Mapping[str, tuple[PublishedOperation, ...]] = field(default_factory=dict)
    seen: Mapping[Path, _Seen] = field(default_factory=dict)

    def find(self, identifier: str, client: str | None) -> PublishedOperation | None:
        """Return the operation that ``client`` means; None: there is none, or none for it.

        The bare name is that of the newest version that is published for the client.
        """
        known = self.by_id.get(identifier)
        several = self.by_name.get(identifier, ()) if known is None else (known,)
        return next((one for one in several if client in one.header.clients), None)


def file_states(folder: Path) -> dict[Path, _Seen]:
    """Return the files of operations in ``folder``, by name; raises OSError."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".graphql":
            continue
        stat = path.stat()
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def read_operations(folder: Path, publish: Publish, before: OperationSet) -> OperationSet:
    """Read ``folder``; what is as it was ``before`` is kept as it is. Raises OSError."""
    seen = file_states(folder)
    kept = {one.file: one for one in before.published}
    doubtful = {one.file for one in before.refused}
    same = {file for file, state in seen.items() if before.seen.get(file) == state} - doubtful
    shelf: dict[Path, PublishedOperation] = {}
    refused: list[RefusedFile] = []
    for file in seen:
        try:
            made = kept[file] if file in same and file in kept else _read(file, publish)
            _hold_new(made, kept.get(file), shelf)
            shelf[file] = made
        except OperationRefused as error:
            refused.append(RefusedFile(file, error.line, error.said))
            if file in kept:
                shelf[file] = kept[file]
    published = tuple(shelf.values())
    by_id = {name: one for one in published for name in (one.header.id, one.document_id)}
    return OperationSet(published, tuple(refused), by_id, _by_name(published), seen)


def _read(file: Path, publish: Publish) -> PublishedOperation:
    try:
        return publish(file, file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise OperationRefused(1, "the file is not UTF-8") from None
    except OSError as error:
        raise OperationRefused(1, f"the file cannot be read: {error.strerror}") from None
    except OperationRefused:
        raise
    except Exception:  # a defect costs this operation, and not the start
        log.exception("operation cannot be made ready", file=file.name)
        raise OperationRefused(1, "a defect of the gateway: the log has it") from None


def _hold_new(
    made: PublishedOperation,
    kept: PublishedOperation | None,
    shelf: Mapping[Path, PublishedOperation],
) -> None:
    """Refuse what would take another's place; raises OperationRefused."""
    for other in shelf.values():
        if other.header.id == made.header.id:
            raise OperationRefused(1, f"{made.header.id} is published by {other.file.name}")
        if other.document.digest == made.document.digest:
            raise OperationRefused(1, f"{other.file.name} publishes the same document")
    same_id = kept is not None and kept.header.id == made.header.id
    if kept is not None and same_id and kept.document.digest != made.document.digest:
        raise OperationRefused(
            1, f"{made.header.id} is published with another document: count its version"
        )


def _by_name(published: Iterable[PublishedOperation]) -> dict[str, tuple[PublishedOperation, ...]]:
    found: dict[str, tuple[PublishedOperation, ...]] = {}
    for one in sorted(published, key=lambda one: -one.header.version):
        found[one.header.name] = (*found.get(one.header.name, ()), one)
    return found


class OperationLibrary:
    """Published operations, kept up to date while the gateway runs.

    ``folder`` None: there are none. ``every``: seconds between looks at the folder, 0 for never.
    """

    def __init__(self, folder: Path | None, publish: Publish, every: float) -> None:
        self._folder = folder
        self._publish = publish
        self._every = every
        self._shelf = OperationSet()
        self._watching: asyncio.Task[None] | None = None

    def all(self) -> tuple[PublishedOperation, ...]:
        """Return everything that is published now, in the order of the files."""
        return self._shelf.published

    @property
    def shelf(self) -> OperationSet:
        """What is published now."""
        return self._shelf

    async def open(self) -> None:
        """Read the folder and begin to watch it; raises OSError where there is none."""
        if self._folder is None:
            return
        await self.reload()
        if self._every:
            self._watching = asyncio.create_task(self._watch(self._folder))

    async def close(self) -> None:
        """Stop watching."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def reload(self) -> None:
        """Read what changed, off the event loop; raises OSError."""
        assert self._folder is not None
        before = self._shelf
        self._shelf = await asyncio.to_thread(read_operations, self._folder, self._publish, before)
        _say(self._shelf)

    async def _watch(self, folder: Path) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                if await asyncio.to_thread(file_states, folder) != self._shelf.seen:
                    await self.reload()
            except OSError as error:
                log.error("operations not read", reason=type(error).__name__)  # what was, stays
            except Exception:  # a defect must not end the watch
                log.exception("operations not read")

    def call(self, identifier: str, caller: Caller) -> tuple[PublishedOperation, Caller]:
        """Return the operation that ``caller`` calls, and the caller with the rights it lends.

        Raises GatewayError UNAUTHENTICATED; OPERATION_UNKNOWN, the same whether there is none or
        one for others; PURPOSE_REQUIRED or PURPOSE_NOT_GRANTED.
        """
        if caller.is_anonymous:
            raise unauthenticated("UNAUTHENTICATED")
        found = self._shelf.find(identifier, caller.client)
        if found is None:
            raise GatewayError("OPERATION_UNKNOWN")
        metrics.OPERATIONS_CALLED.labels(found.header.id).inc()
        purpose = _purpose(found.header.purposes, caller)
        if not found.operation.reads_persons:
            return found, replace(caller, purpose=purpose)
        scopes = found.lends | (caller.scopes & {OWN_VIEW})
        lent = caller.is_partner
        return found, replace(caller, scopes=scopes, purpose=purpose, is_lent=lent)


def require_known_variables(
    published: PublishedOperation, given: Mapping[str, object] | None
) -> None:
    """Refuse variables that the operation does not have: INVALID_VARIABLES.

    One that is misspelt and may be left out would change the answer unnoticed.
    """
    known = {one.variable.name.value for one in published.operation.variables}
    if (given or {}).keys() - known:
        error = GraphQLError("A variable is given that the operation does not have.")
        raise InvalidDocument("INVALID_VARIABLES", (error,))


def _purpose(purposes: Sequence[str], caller: Caller) -> str | None:
    """Return for which of its purposes an operation is called."""
    if not purposes:
        return None
    stated = caller.purpose
    if stated is None and len(purposes) > 1:
        raise GatewayError("PURPOSE_REQUIRED")
    if stated is None:
        stated = next((one for one in caller.purposes if national(one) == purposes[0]), None)
    if stated is None or national(stated) not in purposes:
        raise GatewayError("PURPOSE_NOT_GRANTED")
    return stated


def _say(shelf: OperationSet) -> None:
    metrics.OPERATIONS.labels("published").set(len(shelf.published))
    metrics.OPERATIONS.labels("refused").set(len(shelf.refused))
    log.info("operations read", published=len(shelf.published), refused=len(shelf.refused))
    for one in shelf.refused:
        log.error("operation refused", file=one.file.name, line=one.line, reason=one.said)
