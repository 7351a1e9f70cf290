"""Parts of rows of the civil status books: headers, parties, numbers as filed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from connectors.synthetic import names
from connectors.synthetic.draw import between, later, workday
from connectors.synthetic.model import BookEntry, Citizen, Family
from connectors.synthetic.places import Columns, Home, place, year_only
from connectors.synthetic.registers import ELECTRONIC_SINCE

#: Rows by database and record.
Rows = dict[tuple[str, str], list[Columns]]

_TITLES = ("Chủ tịch", "Phó Chủ tịch")


@dataclass(slots=True)
class Book:
    """The rows of one cluster while they are written."""

    family: Family
    rng: Random
    rows: Rows
    officers: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)

    def add(self, record: str, row: Columns) -> None:
        """Add a row to a record of the civil status database."""
        self.rows.setdefault(("civil_status", record), []).append(row)

    def header(
        self,
        entry: BookEntry,
        event_type: str,
        by: Citizen | None = None,
        relation: str | None = None,
    ) -> Columns:
        """Return the columns that every entry has (``domain.md`` 2.1, common header)."""
        on, rng = entry.on, self.rng
        row: Columns = {
            "event_id": entry.event_id,
            "event_type": event_type,
            "register_no": f"{between(rng, 1, 900)}/{on.year}",
            "registration_date": on,
            "registration_office_name": self.noisy(entry.home.office, entry),
            "registration_office_level": "COMMUNE",
            "registration_kind": entry.kind,
            "status": entry.status,
        }
        if entry.amendments:
            row["amendments"] = entry.amendments
        if entry.digitised:
            row["note"] = "Số hóa từ sổ hộ tịch giấy"
            row["source_updated_at"] = _moment(rng, self._digitised_on())
            row["data_quality"] = "VERIFIED_WITH_NPDB" if rng.random() < 0.6 else "UNVERIFIED"
            return row
        row["registration_office_agency_code"] = f"{entry.home.province.new_code}.{entry.home.code}"
        row["book_no"] = f"01/{on.year}"
        row["signatory_name"], row["signatory_title"] = self._officer(entry.home, on)
        row["source_updated_at"] = _moment(rng, on)
        row["data_quality"] = "VERIFIED_WITH_NPDB"
        if by is not None and by.alive_on(on):
            row["requester_name"] = by.name_on(on).full
            row["requester_citizen_id"] = by.number
            row["requester_relation"] = relation
        return row

    def _digitised_on(self) -> date:
        day = date(2020, 1, 2) + timedelta(days=between(self.rng, 0, 1900))
        return min(day, self.yesterday)

    @property
    def yesterday(self) -> date:
        """The last day on which something can have been entered."""
        return self.family.options.today - timedelta(days=1)

    def entry(self, event_id: str, on: date, home: Home) -> BookEntry:
        """Return the entry of an event that is always in the books, soon after it happened."""
        day = min(workday(later(self.rng, on, 0, 25)), self.yesterday)
        digitised = day < ELECTRONIC_SINCE
        return BookEntry(event_id, day, "DIGITISED" if digitised else "ON_TIME", home, digitised)

    def _officer(self, home: Home, on: date) -> tuple[str, str]:
        key = home.code, on.year // 5
        if key not in self.officers:
            surname = names.family_name(self.rng, "Kinh", home.province.southern)
            sex = "MALE" if self.rng.random() < 0.7 else "FEMALE"
            signer = names.name(self.rng, surname, sex, on.year - 45).full
            self.officers[key] = signer, _TITLES[self.rng.random() < 0.6]
        return self.officers[key]

    def number(self, person: Citizen, record: str, entry: BookEntry) -> str:
        """Return the number under which somebody's part of an entry is filed.

        Some entries made before the present number are still under the earlier one; the truth
        remembers which.
        """
        if person.earlier and self.rng.random() < self.family.options.earlier_number_rate:
            earlier = person.earlier[-1]
            shared = any(kind == "SHARED_NUMBER" for kind, _ in person.conflicts)
            if entry.on < earlier.until and not shared:
                person.filed.append((record, entry.event_id, earlier.number))
                return earlier.number
        return person.number

    def party(self, field: str, person: Citizen, record: str, entry: BookEntry) -> Columns:
        """Return the columns of somebody named in an entry, as known when it was made."""
        on = entry.on
        row: Columns = {
            f"{field}_kind": "INDIVIDUAL",
            f"{field}_name": person.name_on(on).full,
            f"{field}_citizen_id": self.number(person, record, entry),
            f"{field}_nationality": "VN",
        }
        if entry.digitised:
            row[f"{field}_birth_date"] = year_only(person.born.year)
            return row
        row[f"{field}_birth_date"] = person.born
        row[f"{field}_ethnicity"] = person.group
        row |= place(f"{field}_residence", person.home_on(on), on, street=True)
        old = next((e for e in person.earlier if e.kind == "IDENTITY_CARD_9"), None)
        if old is not None and on < old.until:
            row[f"{field}_id_document_kind"] = "IDENTITY_CARD_9"
            row[f"{field}_id_document_number"] = old.number
        else:
            row[f"{field}_id_document_kind"] = "CITIZEN_CARD"
            row[f"{field}_id_document_number"] = person.number
        return row

    def noisy(self, text: str, entry: BookEntry) -> str:
        """Return text with the encoding faults of old systems, now and then."""
        if not entry.digitised:
            return text
        chance = self.rng.random()
        if chance < 0.06:
            return names.decomposed(text)
        return names.old_tone_marks(text) if chance < 0.12 else text

    def place(self, field: str, home: Home, day: date, entry: BookEntry) -> Columns:
        """Return the columns of a place written into an entry."""
        row = place(field, home, day, coded=not entry.digitised or self.rng.random() < 0.5)
        if entry.digitised:
            row[f"{field}_as_recorded"] = self.noisy(home.three_levels, entry)
        return row


def _moment(rng: Random, day: date) -> datetime:
    return datetime(
        day.year, day.month, day.day, between(rng, 1, 9), between(rng, 0, 59), tzinfo=UTC
    )
