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
    for registration in estate.registrations:
        _registration(register, registration)


def _registration(register: _Register, registration: Registration) -> None:
    entered = register.moment(registration.day)
    if registration.duplicate_of is not None:  # entered again: later than the first one (Art. 49)
        entered = entered.replace(hour=9, minute=59) + timedelta(minutes=20)
    row: Columns = {
        "registration_no": registration.number,
        "application_no": f"D{registration.number}",
        "application_type": "INITIAL",
        "measure_type": registration.measure,
        "registered_on": registration.day,
        "effective_time": entered,
        "status": registration.status,
        "secured_contract_name": _CONTRACTS.get(registration.measure, "Hợp đồng bảo đảm"),
        "secured_contract_number": f"{registration.number[-6:]}/{registration.day.year}/HĐBĐ",
        "secured_contract_signed_on": registration.day,
        "obligation": "Toàn bộ nghĩa vụ trả nợ theo hợp đồng tín dụng",
        "registry_office": _office(registration.securing[0]),
    }
    row |= party("requester", registration.secured, registration.day)
    last = entered
    if registration.duplicate_of is not None:
        row["duplicate_of"] = registration.duplicate_of
    if registration.ended is not None:
        row["end_time"] = last = register.moment(registration.ended)
    if registration.ground is not None:
        row["deletion_ground"] = registration.ground
    for index, amendment in enumerate(registration.amendments):
        last = max(last, _amendment(register, registration, amendment, index))
    row["last_change_at"] = last
    register.add("registrations", row)
    for owner in registration.securing:
        _party(register, registration, "SECURING", owner)
    _party(register, registration, "SECURED", registration.secured)
    register.add("collateral", _collateral(registration))
    if registration.notice is not None:
        register.add("enforcement_notices", _notice(register, registration, registration.notice))


def _party(register: _Register, registration: Registration, role: str, owner: Owner) -> None:
    register.entries += 1
    entry = f"BB-{register.family.index:05d}-{register.entries:04d}"
    number = filed_number(
        register.family, register.rng, owner, "security_parties", entry, registration.day
    )
    row: Columns = {"entry_id": entry, "registration_no": registration.number, "role": role}
    row |= party("party", owner, registration.day, number)
    if role == "SECURED" and isinstance(owner, Organisation):
        home = next((p.home for p in registration.securing if isinstance(p, Citizen)), None)
        row["branch_name"] = f"Chi nhánh {home.province.name}" if home else "Hội sở chính"
    register.add("security_parties", row)


def _office(owner: Owner) -> str:
    """Return the centre of the region (assumption: north, centre, south by province code)."""
    code = owner.province_code if isinstance(owner, Organisation) else owner.home.province.new_code
    return "HANOI" if code < "44" else "DA_NANG" if code < "67" else "HO_CHI_MINH_CITY"


def _collateral(registration: Registration) -> Columns:
    row: Columns = {
        "collateral_id": f"{registration.number}-01",
        "registration_no": registration.number,
        "collateral_type": registration.collateral,
        "is_future": False,
    }
    asset = registration.asset
    if asset is not None:
        row["description"] = f"Xe ô tô {asset.brand}, số khung {asset.chassis_no}"
        row["chassis_no"] = asset.chassis_no
        row["plate_no"] = asset.plate_no
        row["engine_no"] = asset.engine_no
        row["vehicle_name"] = "Xe ô tô"
        row["vehicle_brand"] = asset.brand
        return row
    row["description"] = registration.description
    if registration.collateral == "INVENTORY":
        row["inventory_value"] = registration.value
        row["goods_kind"] = "Hàng hóa thành phẩm"
        at = registration.securing[0]
        if isinstance(at, Organisation):
            row["warehouse_as_recorded"] = at.address
            row["warehouse_province_code"] = at.province_code
    if registration.collateral == "RECEIVABLE":
        row["right_name"] = registration.description
        row["basis_contract_name"] = "Hợp đồng mua bán hàng hóa"
        row["basis_contract_number"] = f"{registration.number[-5:]}/HĐMB"
        row["basis_contract_effective_on"] = registration.day
        row["basis_contract_parties"] = tuple(
            owner.name
            for owner in (*registration.securing, registration.secured)
            if isinstance(owner, Organisation)
        )
    return row


def _amendment(
    register: _Register, registration: Registration, amendment: Amendment, index: int
) -> datetime:
    entered = register.moment(amendment.day)
    row: Columns = {
        "amendment_no": f"{registration.number}-TD{index + 1:02d}",
        "registration_no": registration.number,
        "application_type": "ERROR_CORRECTION" if "ERROR" in amendment.ground else "CHANGE",
        "ground": amendment.ground,
        "new_value": amendment.new,
        "effective_time": entered,
        "affects_priority": amendment.priority,
        "received_at": entered,
        "processed_at": entered,
    }
    if amendment.old is not None:
        row["old_value"] = amendment.old
    register.add("amendments", row | party("requester", registration.secured, amendment.day))
    return entered


def _notice(register: _Register, registration: Registration, day: date) -> Columns:
    row: Columns = {
        "notice_no": f"{registration.number}-XL01",
        "registration_no": registration.number,
        "reason": "Bên có nghĩa vụ không trả nợ khi đến hạn",
        "method": "Bán đấu giá tài sản",
        "planned_for": register.moment(day + timedelta(days=30)),
        "other_secured_parties_notified": True,
        "effective_time": register.moment(day),
    }
    owner = registration.securing[0]
    if isinstance(owner, Citizen):
        row |= place("place", owner.home_on(day), day)
    return row
