"""What the notaries' database says of the thing that is to be transferred.

Law on Notarization 46/2024/QH15 Art. 66: origin and state of transactions of assets, preventive
measures and warnings. The asset is found by the serial number of its certificate, or by its own
number there; everything else hangs on it. An asset that provinces have not synchronised is not
there, so that nothing follows from its absence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.description import Row
from connectors.notary import NotarialTransactionKind
from gateway.derived.active_block import is_blocking, values_of
from gateway.derived.view import Basis, Conclusion, Facts, LaterReads, UnknownReason
from gateway.procedures.checks.rule import ProcedureCase

ASSET, OWNED = "notary.asset_by_certificate", "notary.assets"
_OWNERS, _TRANSACTIONS = "notary.owners", "notary.asset_transactions"
_PARTIES = "notary.parties"
ON_PERSON, _ON_ASSET = "notary.preventive_infos", "notary.preventive_infos_on_asset"
#: The lists by the certificate and by the number of the asset, and what is read later.
ASSET_THINGS = {
    "certificate_number": (ASSET,),
    "asset_number": (_OWNERS, _TRANSACTIONS, _ON_ASSET),
}
ASSET_LATER = (
    LaterReads(_OWNERS, 1),
    LaterReads(_TRANSACTIONS, 1),
    LaterReads(_ON_ASSET, 1),
    LaterReads(_PARTIES, _TRANSACTIONS),
)
#: Statuses of transactions that count.
_STANDING = frozenset({"VALID", "AMENDED"})
#: Kinds by which a thing passes from one to another, and by inheritance.
_TRANSFERS = frozenset({"SALE", "DONATION", "CAPITAL_CONTRIBUTION"})
_INHERITANCE = frozenset({"INHERITANCE_DIVISION", "INHERITANCE_DECLARATION"})
#: Kinds by which nothing passes.
_OTHER_KINDS = frozenset(
    {kind.name for kind in NotarialTransactionKind} - _TRANSFERS - _INHERITANCE
)
_GIVING, _TAKING = frozenset({"TRANSFEROR"}), frozenset({"TRANSFEREE", "HEIR"})
#: A key that no asset has: as much is read where none is known.
_NOTHING = ("-",)


@dataclass(frozen=True, slots=True)
class Property:
    """The thing of a case. ``ids``: its numbers there; ``reason``: why it is not known which.

    ``assets``: the list that it was found in, and ``row``; None where it was named by its number.
    """

    ids: tuple[str, ...]
    reason: UnknownReason | None = None
    assets: Facts | None = None
    row: Row | None = None

    @property
    def is_read(self) -> bool:
        """Whether it is known by which number to go on."""
        return self.assets is None or self.assets.is_read


def property_of(case: ProcedureCase) -> Property:
    """Return the thing that the input names by ``certificate_number`` or ``asset_number``."""
    if "certificate_number" not in case.keys:
        return Property(case.keys["asset_number"])
    assets = case.thing(ASSET, "certificate_number")
    if not assets.is_read or assets.reason is not None:
        return Property(_NOTHING, assets.reason or UnknownReason.SOURCE_FAILED, assets)
    if len(assets.rows) != 1:
        missing = UnknownReason.CONTRADICTORY if assets.rows else UnknownReason.NOT_COVERED
        return Property(_NOTHING, missing, assets)
    return Property((str(assets.value(assets.rows[0], "asset_id")),), None, assets, assets.rows[0])


def _under(case: ProcedureCase, name: str) -> Facts | None:
    """Return a list that hangs on the thing; None while it is not known which that is."""
    thing = property_of(case)
    return case.things.under(name, thing.ids) if thing.is_read else None


def owners_of(case: ProcedureCase) -> tuple[Facts | None, UnknownReason | None]:
    """Return the owners on record, and why they are not known; a thing has owners."""
    owners, thing = _under(case, _OWNERS), property_of(case)
    if owners is None:
        return None, UnknownReason.SOURCE_FAILED
    reason = thing.reason or owners.reason
    if reason is None and not owners.rows:
        reason = UnknownReason.NOT_COVERED if thing.assets is None else UnknownReason.NOT_RECORDED
    return owners, reason


def owner_numbers(owners: Facts, row: Row) -> set[str]:
    """Return the numbers and codes by which an owner is recorded."""
    columns = ("owner_citizen_id", "owner_enterprise_code", "owner_organisation_id")
    values = (owners.value(row, column) for column in columns)
    return {str(value) for value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Dealing:
    """A notarised transaction of the thing. ``day``: None where it is not recorded.

    ``giving``, ``taking``: numbers and codes of the parties on each side. ``stands``: its kind is
    recorded, and a status that counts. ``is_certain``: so are the roles and numbers of its parties.
    """

    kind: str | None
    day: date | None
    giving: frozenset[str]
    taking: frozenset[str]
    stands: bool
    is_certain: bool
    basis: tuple[Basis, ...]

    def is_before(self, day: date | None) -> bool:
        """Say whether it was notarised before ``day``, as far as both are known."""
        return day is not None and self.day is not None and self.day < day


@dataclass(frozen=True, slots=True)
class History:
    """The transactions of the thing. ``reason``: why there may be more, or other parties."""

    dealings: tuple[Dealing, ...]
    reason: UnknownReason | None = None

    def acquired_on(self, numbers: Sequence[str]) -> Conclusion:
        """Return the last day on which somebody with ``numbers`` acquired the thing.

        Its value is None where no such transaction is recorded.
        """
        acquired = [
            dealing
            for dealing in self.dealings
            if dealing.kind not in _OTHER_KINDS and not dealing.taking.isdisjoint(numbers)
        ]
        days = [dealing.day for dealing in acquired if dealing.day is not None]
        is_known = len(days) == len(acquired) and all(dealing.stands for dealing in acquired)
        doubt = self.reason or (None if is_known else UnknownReason.NOT_RECORDED)
        return (
            Conclusion.unknown(doubt)
            if doubt is not None
            else Conclusion.of(max(days, default=None))
        )

    def inherited_by(self, numbers: Sequence[str]) -> Dealing | None:
        """Return the transaction by which an estate with the thing came to ``numbers``."""
        return next(
            (
                dealing
                for dealing in self.dealings
                if dealing.kind in _INHERITANCE
                and dealing.stands
                and not dealing.taking.isdisjoint(numbers)
            ),
            None,
        )

    def of_kind(self, kind: str) -> Dealing | None:
        """Return a transaction of ``kind``, if there is one that was not ended."""
        return next((dealing for dealing in self.dealings if dealing.kind == kind), None)

    def is_disposed_by(self, numbers: Sequence[str]) -> Conclusion:
        """Return whether whoever has ``numbers`` has transferred the thing since acquiring it.

        A transfer between others is none of theirs before they acquired it; one after it
        contradicts that they own it.
        """
        acquisition = self.acquired_on(numbers)
        acquired, doubt = acquisition.value, acquisition.reason
        assert acquired is None or isinstance(acquired, date)
        for dealing in self.dealings:
            if dealing.kind in _OTHER_KINDS | _INHERITANCE:
                continue
            if dealing.is_before(acquired) or not dealing.taking.isdisjoint(numbers):
                continue
            gives = not dealing.giving.isdisjoint(numbers)
            is_later = acquired is None or dealing.day is not None
            if gives and is_later and dealing.stands:
                return Conclusion.of(True, dealing.basis)
            if gives or not dealing.is_certain:
                doubt = doubt or UnknownReason.NOT_RECORDED
            elif acquired is not None:
                doubt = doubt or UnknownReason.CONTRADICTORY
        return Conclusion.of(False) if doubt is None else Conclusion.unknown(doubt)


def history_of(case: ProcedureCase) -> History:
    """Return the transactions of the thing that stand, or whose status is not recorded."""
    transactions, thing = _under(case, _TRANSACTIONS), property_of(case)
    if transactions is None or not transactions.is_read:
        return History((), UnknownReason.SOURCE_FAILED)
    numbers = values_of(transactions, "notarial_no") or _NOTHING
    parties = case.things.under(_PARTIES, numbers)
    dealings = tuple(_dealings(transactions, parties))
    return History(dealings, thing.reason or transactions.reason or parties.reason)


def _dealings(transactions: Facts, parties: Facts) -> Iterator[Dealing]:
    for row in transactions.rows:
        status, kind = transactions.code(row, "status"), transactions.code(row, "kind")
        if status is not None and status not in _STANDING:
            continue
        number = transactions.value(row, "notarial_no")
        named = [party for party in parties.rows if parties.value(party, "notarial_no") == number]
        sides = {
            roles: [_party_numbers(parties, party) for party in named
                    if parties.code(party, "role") in roles]
            for roles in (_GIVING, _TAKING)
        }  # fmt: skip
        stands = None not in (status, kind)
        is_certain = bool(named) and all(
            parties.code(party, "role") is not None and _is_numbered(parties, party)
            for party in named
        )  # fmt: skip
        yield Dealing(
            kind,
            transactions.value(row, "notarised_on"),
            frozenset().union(*sides[_GIVING]),
            frozenset().union(*sides[_TAKING]),
            stands,
            stands and is_certain,
            transactions.basis(row),
        )


def _party_numbers(parties: Facts, row: Row) -> set[str]:
    columns = ("party_citizen_id", "party_enterprise_code", "party_organisation_id")
    values = (parties.value(row, column) for column in columns)
    return {str(value) for value in values if value is not None}


def _is_numbered(parties: Facts, row: Row) -> bool:
    """Say whether it is known who a party is, or that it is no person."""
    is_organisation = parties.code(row, "party_kind") == "ORGANISATION"
    return is_organisation or bool(_party_numbers(parties, row))


@dataclass(frozen=True, slots=True)
class PreventiveState:
    """What is recorded against a transaction. ``blocks``, ``warnings``: the records in force."""

    blocks: tuple[Basis, ...]
    warnings: tuple[Basis, ...]
    reason: UnknownReason | None


def preventive_state(case: ProcedureCase, *roles: str) -> PreventiveState:
    """Return what stands today against the thing, and against those who stand in ``roles``.

    What is recorded of a person and of another asset does not concern this one.
    """
    thing, on_asset = property_of(case), _under(case, _ON_ASSET)
    lists = [case.person(role).list(ON_PERSON) for role in roles if case.has(role)]
    lists += [] if on_asset is None else [on_asset]
    blocks: list[Basis] = []
    warnings: list[Basis] = []
    reason = thing.reason or (UnknownReason.SOURCE_FAILED if on_asset is None else None)
    day = case.things.question.valid_on
    for infos in lists:
        reason = infos.reason or reason
        for row in infos.rows:
            asset = infos.value(row, "asset_id")
            if asset is not None and thing.reason is None and str(asset) not in thing.ids:
                continue
            blocking = is_blocking(infos, row, day)
            if blocking is None or (blocking and asset is not None and thing.reason is not None):
                reason = reason or UnknownReason.NOT_RECORDED
            elif blocking:
                blocks += infos.basis(row)
            elif _warns(infos, row, day):
                warnings += infos.basis(row)
    return PreventiveState(tuple(blocks), tuple(warnings), reason)


def _warns(infos: Facts, row: Row, day: date) -> bool:
    lifted = infos.value(row, "lifted_on")
    since = infos.value(row, "valid_from")
    is_in_time = (since is None or since <= day) and (lifted is None or lifted > day)
    return (
        is_in_time
        and infos.code(row, "level") == "WARN"
        and (infos.code(row, "status") != "LIFTED")
    )
