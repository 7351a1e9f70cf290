"""Rows of the notarization database (Law 46/2024/QH15 Art. 66; ``domain.md`` 2.6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from connectors.synthetic import organisations
from connectors.synthetic.book import Rows
from connectors.synthetic.draw import between, stream
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.organisations import NotaryOffice
from connectors.synthetic.parties import filed_number, party
from connectors.synthetic.places import Columns, place, provinces
from connectors.synthetic.property_model import Asset, Block, Deed, Estate, Owner, Will

#: Law 46/2024/QH15 Art. 65 (electronic notarisation) is in force from this day on.
_ELECTRONIC_SINCE = date(2025, 7, 1)


@dataclass(slots=True)
class _Archive:
    """The rows of one cluster while they are written."""

    family: Family
    rng: Random
    rows: Rows
    entries: int = 0

    def add(self, record: str, row: Columns) -> None:
        self.rows.setdefault(("notary", record), []).append(row)

    def entry_id(self, kind: str) -> str:
        self.entries += 1
        return f"{kind}-{self.family.index:05d}-{self.entries:04d}"


def add(estate: Estate, rows: Rows) -> None:
    """Write the rows of the notarization database; those of all offices with the first cluster."""
    family = estate.family
    archive = _Archive(family, stream(family.options.seed, family.index, "notary"), rows)
    if family.index == 0:
        _offices(archive)
    for deed in estate.deeds:
        if not deed.lost:
            _deed(archive, deed)
    for asset in estate.assets:
        if asset.seen:
            _asset(archive, estate, asset)
    for will in estate.wills:
        archive.add("wills", _will(will))


def _offices(archive: _Archive) -> None:
    for code in sorted({province.new_code for province in provinces()}):
        for ordinal in range(organisations.OFFICES):
            office = organisations.notary_office(code, ordinal)
            archive.add("notarial_organisations", _office(office, ordinal))
            for notary_id, name in office.notaries:
                row: Columns = {
                    "notary_id": notary_id,
                    "name": name,
                    "appointment_no": f"{between(archive.rng, 100, 2900)}/QĐ-BTP",
                    "card_no": f"{code}{ordinal + 1:02d}{notary_id[-1]}/CCV",
                    "organisation_id": office.organisation_id,
                    "status": "PRACTISING",
                }
                archive.add("notaries", row)


def _office(office: NotaryOffice, ordinal: int) -> Columns:
    return {
        "organisation_id": office.organisation_id,
        "name": office.name,
        "kind": office.kind,
        "registration_no": f"{office.province_code}{ordinal + 1:02d}/TP-ĐKHĐ",
        "address": office.address,
        "head": office.head,
        "province_code": office.province_code,
        "status": "OPERATING",
    }


def _deed(archive: _Archive, deed: Deed) -> None:
    rng, on = archive.rng, deed.day
    row: Columns = {
        "notarial_no": deed.number,
        "book_no": f"{between(rng, 1, 12):02d}/{on.year}-SCC/HĐGD",
        "organisation_id": deed.office.organisation_id,
        "notary_id": deed.notary,
        "notarised_on": on,
        "kind": deed.kind,
        "form": _form(rng, on),
        "status": deed.status,
        "content_hash": hashlib.sha256(deed.number.encode()).hexdigest(),
        "file_location": deed.office.name,
        "fee": _fee(deed.value),
    }
    if deed.value is not None:
        row["value"] = deed.value
    if deed.related is not None:
        row["related_no"] = deed.related
    for role, owner in deed.parties:
        archive.add("transaction_parties", _party(archive, deed, role, owner))
    requester = next(person for _, person in deed.parties if isinstance(person, Citizen))
    row |= party("requester", requester, on, residence=False)
    archive.add("transactions", row)
    for asset in deed.assets:
        link: Columns = {
            "entry_id": archive.entry_id("LK"),
            "notarial_no": deed.number,
            "asset_id": asset.asset_id,
        }
        archive.add("transaction_asset_links", link)


def _party(archive: _Archive, deed: Deed, role: str, owner: Owner) -> Columns:
    entry = archive.entry_id("BN")
    number = filed_number(
        archive.family, archive.rng, owner, "transaction_parties", entry, deed.day
    )
    row: Columns = {"entry_id": entry, "notarial_no": deed.number, "role": role}
    row |= party("party", owner, deed.day, number)
    if isinstance(owner, Citizen) and role not in ("TESTATOR", "AGENT", "HEIR"):
        union = owner.union_on(deed.day)
        if union is not None:
            row["spouse_id"] = union.spouse(owner).number
    return row


def _form(rng: Random, on: date) -> str:
    chance = rng.random()
    if on < _ELECTRONIC_SINCE or chance >= 0.06:
        return "PAPER"
    return "E_ONLINE" if chance < 0.01 else "E_DIRECT"


def _fee(value: Decimal | None) -> Decimal:
    """Return the fee of a transaction, in steps by its value (assumption: Circular 257/2016)."""
    if value is None or value < 50_000_000:
        return Decimal(50_000)
    if value < 100_000_000:
        return Decimal(100_000)
    if value < 1_000_000_000:
        return (value / 1000).quantize(Decimal(1))
    return (1_000_000 + (value - 1_000_000_000) * 6 / 10_000).quantize(Decimal(1))


def _asset(archive: _Archive, estate: Estate, asset: Asset) -> None:
    rng = archive.rng
    row: Columns = {"asset_id": asset.asset_id, "kind": asset.kind}
    if asset.kind == "VEHICLE":
        row |= {"chassis_no": asset.chassis_no, "plate_no": asset.plate_no}
    else:
        row["certificate_no"] = asset.certificate_no
        row["book_entry_no"] = f"CS{between(rng, 100, 99999):05d}"
        row["parcel_map_sheet"] = str(between(rng, 1, 90))
        row["parcel_parcel_no"] = str(between(rng, 1, 900))
        row["parcel_area"] = Decimal(between(rng, 350, 6000)) / 10
        row |= place("parcel_place", asset.home, asset.holding.start, street=True)
    row["origin"] = asset.holding.origin
    blocked = asset.blocked_on(estate.today)
    row["transaction_status"] = "đang bị ngăn chặn giao dịch" if blocked else "không bị ngăn chặn"
    archive.add("assets", row)
    for owner, share in asset.holding.owners:
        entry: Columns = {
            "entry_id": archive.entry_id("CH"),
            "asset_id": asset.asset_id,
            "share": share,
        }
        archive.add("asset_owners", entry | party("owner", owner, asset.holding.start))
    for block in asset.blocks:
        archive.add("preventive_infos", _block(asset, block))


def _block(asset: Asset, block: Block) -> Columns:
    row: Columns = {
        "prevent_id": block.prevent_id,
        "asset_id": asset.asset_id,
        "kind": block.kind,
        "level": block.level,
        "issuer": block.issuer,
        "document_no": block.document_no,
        "document_date": block.start,
        "valid_from": block.start,
        "status": "ACTIVE" if block.end is None else "LIFTED",
        "scope_province": asset.home.province.new_code,
    }
    if block.person is not None:
        row["person_id"] = block.person.number
    if block.attachment is not None:
        row["attachment_ref"] = block.attachment
    if block.end is not None:
        row["lifted_on"] = block.end
        row["lifted_by"] = f"{block.document_no}-GT"
    return row


def _will(will: Will) -> Columns:
    row: Columns = {
        "notarial_no": will.deed.number,
        "testator_id": will.testator.number,
        "notarised_on": will.deed.day,
        "keeper_id": will.deed.office.organisation_id,
    }
    if will.replaced_by is not None:
        row["replaced_by"] = will.replaced_by
    if will.opened is not None:
        row["opened_on"] = will.opened
    return row
