"""The library of published operations: read from a folder, found by name or document id.

The folder is checked every few seconds, and changed files are read anew beside the requests: each
request keeps the operation that it began with. A refused file takes nothing away: what it published
before stays, until the file is mended or removed.
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
#: Tells whether a file changed: time of modification in ns, and size in bytes.
_FileState = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not published, and why."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        """Return it in the format of compiler errors."""
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class OperationSet:
    """The operations published at one time.

    ``by_id``: an operation under its name with version, and under the hash of its document.
    ``by_name``: its versions, the newest first. ``states``: the state of each file.
    """

    published: tuple[PublishedOperation, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    by_id: Mapping[str, PublishedOperation] = field(default_factory=dict)
    by_name: Mapping[str, tuple[PublishedOperation, ...]] = field(default_factory=dict)
    states: Mapping[Path, _FileState] = field(default_factory=dict)

    def find(self, identifier: str, client: str | None) -> PublishedOperation | None:
        """Return the operation called ``identifier``; None: there is none for ``client``.

        A name without version means the newest version that is published for the client.
        """
        exact = self.by_id.get(identifier)
        versions = self.by_name.get(identifier, ()) if exact is None else (exact,)
        return next(
            (operation for operation in versions if client in operation.header.clients), None
        )


def file_states(folder: Path) -> dict[Path, _FileState]:
    """Return the state of each operation file in ``folder``, by path; raises OSError."""
    states = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".graphql":
            continue
        stat = path.stat()
        states[path] = (stat.st_mtime_ns, stat.st_size)
    return states


def read_operations(folder: Path, publish: Publish, before: OperationSet) -> OperationSet:
    """Read ``folder``; operations of files unchanged since ``before`` are kept. Raises OSError."""
    states = file_states(folder)
    previous = {entry.file: entry for entry in before.published}
    refused_before = {entry.file for entry in before.refused}
    unchanged = {
        file for file, state in states.items() if before.states.get(file) == state
    } - refused_before
    operations: dict[Path, PublishedOperation] = {}
    refusals: list[RefusedFile] = []
    for file in states:
        try:
            operation = (
                previous[file] if file in unchanged and file in previous else _read(file, publish)
            )
            _require_unique(operation, previous.get(file), operations)
            operations[file] = operation
        except OperationRefused as error:
            refusals.append(RefusedFile(file, error.line, error.reason))
            if file in previous:
                operations[file] = previous[file]
    published = tuple(operations.values())
    by_id = {name: entry for entry in published for name in (entry.header.id, entry.document_id)}
    return OperationSet(published, tuple(refusals), by_id, _by_name(published), states)


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


def _require_unique(
    operation: PublishedOperation,
    previous: PublishedOperation | None,
    operations: Mapping[Path, PublishedOperation],
) -> None:
    """Require that an operation takes no other's place; raises OperationRefused."""
    for other in operations.values():
        if other.header.id == operation.header.id:
            raise OperationRefused(1, f"{operation.header.id} is published by {other.file.name}")
        if other.document.digest == operation.document.digest:
            raise OperationRefused(1, f"{other.file.name} publishes the same document")
    same_id = previous is not None and previous.header.id == operation.header.id
    if previous is not None and same_id and previous.document.digest != operation.document.digest:
        raise OperationRefused(
            1, f"{operation.header.id} is published with another document: count its version"
        )


def _by_name(published: Iterable[PublishedOperation]) -> dict[str, tuple[PublishedOperation, ...]]:
    by_name: dict[str, tuple[PublishedOperation, ...]] = {}
    for operation in sorted(published, key=lambda operation: -operation.header.version):
        by_name[operation.header.name] = (*by_name.get(operation.header.name, ()), operation)
    return by_name


class OperationLibrary:
    """Published operations, kept up to date while the gateway runs.

    ``folder`` None: there are none. ``every``: seconds between checks of the folder, 0 for never.
    """

    def __init__(self, folder: Path | None, publish: Publish, every: float) -> None:
        self._folder = folder
        self._publish = publish
        self._every = every
        self._current = OperationSet()
        self._watching: asyncio.Task[None] | None = None

    def all(self) -> tuple[PublishedOperation, ...]:
        """Return the operations that are published now, in the order of their files."""
        return self._current.published

    @property
    def current(self) -> OperationSet:
        """The operations that are published now."""
        return self._current

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
        """Read changed files, off the event loop; raises OSError."""
        assert self._folder is not None
        before = self._current
        self._current = await asyncio.to_thread(
            read_operations, self._folder, self._publish, before
        )
        _report(self._current)

    async def _watch(self, folder: Path) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                if await asyncio.to_thread(file_states, folder) != self._current.states:
                    await self.reload()
            except OSError as error:
                log.error(
                    "operations not read", reason=type(error).__name__
                )  # what was published stays
            except Exception:  # a defect must not end the watch
                log.exception("operations not read")

    def call(self, identifier: str, caller: Caller) -> tuple[PublishedOperation, Caller]:
        """Return the operation called ``identifier``, and the caller with the rights that it lends.

        Raises GatewayError UNAUTHENTICATED; OPERATION_UNKNOWN, the same whether there is none or
        one for others; PURPOSE_REQUIRED or PURPOSE_NOT_GRANTED.
        """
        if caller.is_anonymous:
            raise unauthenticated("UNAUTHENTICATED")
        operation = self._current.find(identifier, caller.client)
        if operation is None:
            raise GatewayError("OPERATION_UNKNOWN")
        metrics.OPERATIONS_CALLED.labels(operation.header.id).inc()
        purpose = _resolve_purpose(operation.header.purposes, caller)
        if not (operation.operation.reads_persons or operation.operation.reads_events):
            return operation, replace(caller, purpose=purpose)
        scopes = operation.lends | (caller.scopes & {OWN_VIEW})
        lent = caller.is_partner
        return operation, replace(caller, scopes=scopes, purpose=purpose, is_lent=lent)


def require_known_variables(
    published: PublishedOperation, values: Mapping[str, object] | None
) -> None:
    """Refuse variables that the operation does not declare: INVALID_VARIABLES.

    A misspelt optional variable would change the answer unnoticed.
    """
    names = {definition.variable.name.value for definition in published.operation.variables}
    if (values or {}).keys() - names:
        error = GraphQLError("A variable is given that the operation does not have.")
        raise InvalidDocument("INVALID_VARIABLES", (error,))


def _resolve_purpose(purposes: Sequence[str], caller: Caller) -> str | None:
    """Return the purpose of a call: the one stated, else the only one that the operation has."""
    if not purposes:
        return None
    purpose_stated = caller.purpose
    if purpose_stated is None and len(purposes) > 1:
        raise GatewayError("PURPOSE_REQUIRED")
    if purpose_stated is None:
        purpose_stated = next(
            (purpose for purpose in caller.purposes if national(purpose) == purposes[0]), None
        )
    if purpose_stated is None or national(purpose_stated) not in purposes:
        raise GatewayError("PURPOSE_NOT_GRANTED")
    return purpose_stated


def _report(operations: OperationSet) -> None:
    metrics.OPERATIONS.labels("published").set(len(operations.published))
    metrics.OPERATIONS.labels("refused").set(len(operations.refused))
    log.info(
        "operations read", published=len(operations.published), refused=len(operations.refused)
    )
    for refusal in operations.refused:
        log.error(
            "operation refused", file=refusal.file.name, line=refusal.line, reason=refusal.reason
        )
