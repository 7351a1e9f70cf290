"""Why a field is denied, in words, and who grants what is missing, from the declarations.

A scope is granted by the owner of the database that it names. What a procedure may see of a
database is settled with the same owner (``docs/reference/procedures.md``). What names no database
is the operator's to grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.description import Database, Text
from gateway.answer import State
from gateway.catalogue.scopes import OWN_VIEW
from gateway.permission.denials import DeniedField

_PURPOSE = "purpose:"
_OPERATOR = Text("Đơn vị vận hành cổng tra cứu", "The operator of this gateway")
_WITHHELD = Text(
    "Quy định của pháp luật không cho cung cấp phần này theo mục đích đã nêu; không ai cấp được.",
    "The law withholds this under the purpose stated; nobody can grant it.",
)
_OWN_VIEW = Text(
    "Chỉ công dân, bằng mã truy cập của chính mình, mới xem được me.",
    "me is for citizens, with a token of their own.",
)
_LEVELS = {
    "read": Text("trường công khai và cơ bản", "PUBLIC and BASIC fields"),
    "sensitive": Text("trường nhạy cảm", "SENSITIVE fields"),
    "restricted": Text("trường hạn chế", "RESTRICTED fields"),
    "find": Text("tìm theo tài sản, số đăng ký", "finding by the number of a thing"),
    "verify": Text("đối chiếu thông tin", "verifying details"),
}


@dataclass(frozen=True, slots=True)
class Grantor:
    """Who grants what is missing: the owner of ``database``; None: the gateway's operator.

    ``contact``: as the declaration or the settings name it, or None.
    """

    database: str | None
    owner: Text
    contact: str | None


@dataclass(frozen=True, slots=True)
class ExplainedDenial:
    """A field that would be null; ``reasons``: in words; ``grantors``: of what is missing."""

    path: str
    state: State
    missing: tuple[str, ...]
    line: int
    reasons: tuple[Text, ...]
    grantors: tuple[Grantor, ...]


def explain_denials(
    denials: Iterable[DeniedField], purpose: str | None, databases: Mapping[str, Database]
) -> tuple[ExplainedDenial, ...]:
    """Return ``denials`` with their reasons. ``purpose``: as stated. ``databases``: by name."""
    return tuple(_explain(denial, purpose, databases) for denial in denials)


def _explain(
    denial: DeniedField, purpose: str | None, databases: Mapping[str, Database]
) -> ExplainedDenial:
    withheld = denial.state is State.WITHHELD
    reasons = [_WITHHELD] if withheld else _reasons(denial.missing, purpose, databases)
    grantors = dict.fromkeys(_grantor(missing, databases) for missing in denial.missing)
    return ExplainedDenial(
        denial.path, denial.state, denial.missing, denial.line, tuple(reasons), tuple(grantors)
    )


def _reasons(
    missing: Iterable[str], purpose: str | None, databases: Mapping[str, Database]
) -> Iterator[Text]:
    for name in missing:
        if name.startswith(_PURPOSE):
            yield _purpose_reason(name.removeprefix(_PURPOSE), purpose)
        elif name == OWN_VIEW:
            yield _OWN_VIEW
        else:
            yield _scope_reason(name, databases)


def _purpose_reason(covered: str, purpose: str | None) -> Text:
    if purpose is None:
        return Text(
            f"Chưa nêu mục đích có {covered}.", f"No purpose is stated that covers {covered}."
        )
    return Text(
        f"Mục đích {purpose} không gồm {covered}.",
        f"The purpose {purpose} does not cover {covered}.",
    )


def _scope_reason(scope: str, databases: Mapping[str, Database]) -> Text:
    database, level = databases.get(_database_of(scope)), _LEVELS.get(scope.rpartition(":")[2])
    vi, en = f"Mã truy cập thiếu phạm vi {scope}", f"The token lacks the scope {scope}"
    if database is None or level is None:
        return Text(f"{vi}.", f"{en}.")
    return Text(
        f"{vi} ({database.title.vi}: {level.vi}).", f"{en} ({database.title.en}: {level.en})."
    )


def _database_of(missing: str) -> str:
    return missing.removeprefix(_PURPOSE).partition(":")[0].partition(".")[0]


def _grantor(missing: str, databases: Mapping[str, Database]) -> Grantor:
    database = databases.get(_database_of(missing))
    if database is None:
        return Grantor(None, _OPERATOR, None)
    return Grantor(database.name, database.owner, database.contact)
