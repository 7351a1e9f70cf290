"""Rows of the security-measures database (Decree 99/2022/NĐ-CP; ``domain.md`` 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.draw import between, stream
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.parties import filed_number, party
from connectors.synthetic.places import Columns, place
from connectors.synthetic.property_model import Amendment, Estate, Owner, Registration

_CONTRACTS = {"MORTGAGE": "Hợp đồng thế chấp tài sản", "PLEDGE": "Hợp đồng cầm cố tài sản"}


@dataclass(slots=True)
class _Register:
    """The rows of one cluster while they are written."""

    family: Family
    rng: Random
    rows: Rows
    entries: int = 0

    def add(self, record: str, row: Columns) -> None:
        self.rows.setdefault(("security_measures", record), []).append(row)

    def moment(self, day: date) -> datetime:
        """Draw a moment of office hours (8 to 17 o'clock in Hanoi)."""
        hour, minute, second = (between(self.rng, 0, top) for top in (8, 59, 59))
        return datetime(day.year, day.month, day.day, 1 + hour, minute, second, tzinfo=UTC)


def add(estate: Estate, rows: Rows) -> None:
    """Write the rows of the database on security measures for a cluster."""
    family = estate.family
    register = _Register(family, stream(family.options.seed, family.index, "securities"), rows)
    for one in estate.registrations:
        _registration(register, one)


def _registration(register: _Register, one: Registration) -> None:
    entered = register.moment(one.day)
    if one.duplicate_of is not None:  # entered again: later than the first one (Art. 49)
        entered = entered.replace(hour=9, minute=59) + timedelta(minutes=20)
    row: Columns = {
        "registration_no": one.number,
        "application_no": f"D{one.number}",
        "application_type": "INITIAL",
        "measure_type": one.measure,
        "registered_on": one.day,
        "effective_time": entered,
        "status": one.status,
        "secured_contract_name": _CONTRACTS.get(one.measure, "Hợp đồng bảo đảm"),
        "secured_contract_number": f"{one.number[-6:]}/{one.day.year}/HĐBĐ",
        "secured_contract_signed_on": one.day,
        "obligation": "Toàn bộ nghĩa vụ trả nợ theo hợp đồng tín dụng",
        "registry_office": _office(one.securing[0]),
    }
    row |= party("requester", one.secured, one.day)
    last = entered
    if one.duplicate_of is not None:
        row["duplicate_of"] = one.duplicate_of
    if one.ended is not None:
        row["end_time"] = last = register.moment(one.ended)
    if one.ground is not None:
        row["deletion_ground"] = one.ground
    for index, amendment in enumerate(one.amendments):
        last = max(last, _amendment(register, one, amendment, index))
    row["last_change_at"] = last
    register.add("registrations", row)
    for role, who in [("SECURING", one) for one in one.securing] + [("SECURED", one.secured)]:
        _party(register, one, role, who)
    register.add("collateral", _collateral(one))
    if one.notice is not None:
        register.add("enforcement_notices", _notice(register, one, one.notice))


def _party(register: _Register, one: Registration, role: str, who: Owner) -> None:
    register.entries += 1
    entry = f"BB-{register.family.index:05d}-{register.entries:04d}"
    number = filed_number(register.family, register.rng, who, "security_parties", entry, one.day)
    row: Columns = {"entry_id": entry, "registration_no": one.number, "role": role}
    row |= party("party", who, one.day, number)
    if role == "SECURED" and isinstance(who, Organisation):
        home = next((p.home for p in one.securing if isinstance(p, Citizen)), None)
        row["branch_name"] = f"Chi nhánh {home.province.name}" if home else "Hội sở chính"
    register.add("security_parties", row)


def _office(who: Owner) -> str:
    """Return the centre of the region (assumption: north, centre, south by province code)."""
    code = who.province_code if isinstance(who, Organisation) else who.home.province.new_code
    return "HANOI" if code < "44" else "DA_NANG" if code < "67" else "HO_CHI_MINH_CITY"


def _collateral(one: Registration) -> Columns:
    row: Columns = {
        "collateral_id": f"{one.number}-01",
        "registration_no": one.number,
        "collateral_type": one.collateral,
        "is_future": False,
    }
    asset = one.asset
    if asset is not None:
        row["description"] = f"Xe ô tô {asset.brand}, số khung {asset.chassis_no}"
        row["chassis_no"] = asset.chassis_no
        row["plate_no"] = asset.plate_no
        row["engine_no"] = asset.engine_no
        row["vehicle_name"] = "Xe ô tô"
        row["vehicle_brand"] = asset.brand
        return row
    row["description"] = one.what
    if one.collateral == "INVENTORY":
        row["inventory_value"] = one.value
        row["goods_kind"] = "Hàng hóa thành phẩm"
        at = one.securing[0]
        if isinstance(at, Organisation):
            row["warehouse_as_recorded"] = at.address
            row["warehouse_province_code"] = at.province_code
    if one.collateral == "RECEIVABLE":
        row["right_name"] = one.what
        row["basis_contract_name"] = "Hợp đồng mua bán hàng hóa"
        row["basis_contract_number"] = f"{one.number[-5:]}/HĐMB"
        row["basis_contract_effective_on"] = one.day
        row["basis_contract_parties"] = tuple(
            who.name for who in (*one.securing, one.secured) if isinstance(who, Organisation)
        )
    return row


def _amendment(register: _Register, one: Registration, made: Amendment, index: int) -> datetime:
    entered = register.moment(made.day)
    row: Columns = {
        "amendment_no": f"{one.number}-TD{index + 1:02d}",
        "registration_no": one.number,
        "application_type": "ERROR_CORRECTION" if "ERROR" in made.ground else "CHANGE",
        "ground": made.ground,
        "new_value": made.new,
        "effective_time": entered,
        "affects_priority": made.priority,
        "received_at": entered,
        "processed_at": entered,
    }
    if made.old is not None:
        row["old_value"] = made.old
    register.add("amendments", row | party("requester", one.secured, made.day))
    return entered


def _notice(register: _Register, one: Registration, day: date) -> Columns:
    row: Columns = {
        "notice_no": f"{one.number}-XL01",
        "registration_no": one.number,
        "reason": "Bên có nghĩa vụ không trả nợ khi đến hạn",
        "method": "Bán đấu giá tài sản",
        "planned_for": register.moment(day + timedelta(days=30)),
        "other_secured_parties_notified": True,
        "effective_time": register.moment(day),
    }
    who = one.securing[0]
    if isinstance(who, Citizen):
        row |= place("place", who.home_on(day), day)
    return row
