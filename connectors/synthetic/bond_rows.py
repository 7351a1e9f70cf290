"""Rows of adoptions, guardianships, recognitions, changes and court decisions (``domain.md`` 2.1).

Free text never tells of an adoption: what the adoption record holds is for the registering
agencies.
"""

from __future__ import annotations

from connectors.synthetic.book import Book
from connectors.synthetic.draw import age_on, between
from connectors.synthetic.model import Citizen, Note, RecordChange
from connectors.synthetic.places import Columns
from connectors.synthetic.union_rows import court

_CONTENT = {
    "DECLARED_MISSING": "Tuyên bố mất tích",
    "DECLARED_MISSING_REVOKED": "Hủy quyết định tuyên bố mất tích",
    "DECLARED_DEAD": "Tuyên bố là đã chết",
    "DECLARED_DEAD_REVOKED": "Hủy quyết định tuyên bố là đã chết",
    "DECLARED_INCAPACITATED": "Tuyên bố mất năng lực hành vi dân sự",
    "DECLARED_INCAPACITATED_REVOKED": "Hủy quyết định tuyên bố mất năng lực hành vi dân sự",
    "DECLARED_RESTRICTED": "Tuyên bố hạn chế năng lực hành vi dân sự",
    "DECLARED_RESTRICTED_REVOKED": "Hủy quyết định tuyên bố hạn chế năng lực hành vi dân sự",
    "PARENTAGE_DETERMINATION": "Xác định cha, con",
    "UNLAWFUL_MARRIAGE_ANNULMENT": "Hủy việc kết hôn trái pháp luật",
    "ADOPTION": "Quyết định của Ủy ban nhân dân",
}


def adoptions(book: Book) -> None:
    """Write the adoptions, with the parents by birth if they are known (Law 52/2010)."""
    for one in book.family.adoptions:
        child = one.child
        entry = book.entry(one.event_id, one.decided, child.home)
        entry.on = one.decided
        row = book.header(entry, "ADOPTION", one.mother or one.father, "người nhận con nuôi")
        row["certificate_no"] = row["register_no"]
        row["decision_date"] = one.decided
        row["handover_date"] = one.handover
        row["child_id"] = child.number
        if one.father is not None:
            row["adopter_father_id"] = one.father.number
        if one.mother is not None:
            row["adopter_mother_id"] = one.mother.number
        if child.birth_mother is not None:
            row |= book.party("biological_mother", child.birth_mother, "adoptions", entry)
        if child.birth_father is not None:
            row |= book.party("biological_father", child.birth_father, "adoptions", entry)
        row["adoption_scope"] = "DOMESTIC"
        row["relation_before"] = one.relation
        if one.old_name.full != child.name.full:
            row["child_new_name"] = child.name.full
        book.add("adoptions", row)


def guardianships(book: Book) -> None:
    """Write the guardianships (Civil Code 2015 Art. 46-63)."""
    for one in book.family.guardianships:
        entry = book.entry(one.event_id, one.start, one.ward.home)
        row = book.header(entry, "GUARDIANSHIP", one.guardian, "người giám hộ")
        row["registration_no"] = row["register_no"]
        row["ward_id"] = one.ward.number
        row |= book.party("guardian", one.guardian, "guardianships", entry)
        row["guardianship_kind"] = one.kind
        row["reason"] = one.reason
        row["start_date"] = one.start
        if one.kind != "NATURAL":
            row["decision_no"] = f"{between(book.rng, 1, 300)}/{one.start.year}/QĐ-UBND"
        if one.end is not None:
            row["end_date"] = one.end
            row["end_reason"] = _end_of_guardianship(one.ward, one.guardian, one.reason, one.end)
        book.add("guardianships", row)


def _end_of_guardianship(ward: Citizen, guardian: Citizen, reason: str, end: object) -> str:
    if ward.gone == end:
        return "người được giám hộ chết"
    if guardian.gone == end:
        return "thay đổi người giám hộ"
    if reason == "MINOR":
        return "người được giám hộ đã có năng lực hành vi dân sự đầy đủ"
    return "người được giám hộ có lại năng lực hành vi dân sự"


def recognitions(book: Book) -> None:
    """Write fathers' recognitions of their children (Law 60/2014 Art. 24-25)."""
    for one in book.family.recognitions:
        entry = book.entry(one.event_id, one.on, one.child.birth_home)
        entry.on = one.on
        row = book.header(entry, "PARENT_CHILD_RECOGNITION", one.father, "cha")
        row["registration_no"] = row["register_no"]
        row["recognising_id"] = book.number(one.father, "recognitions", entry)
        row["recognised_id"] = one.child.number
        row["recognition_kind"] = "FATHER_RECOGNISES_CHILD"
        row["evidence"] = "DNA" if book.rng.random() < 0.7 and one.on.year > 2005 else "OTHER"
        row["other_parent_consent"] = True
        row["combined_with_birth"] = one.combined
        if one.child.birth_entry is not None:
            row["birth_event_id"] = one.child.birth_entry.event_id
        book.add("recognitions", row)


def changes(book: Book) -> None:
    """Write changes, corrections and supplements (Law 60/2014 Art. 26-29)."""
    for one in book.family.changes:
        book.add("changes", _change(book, one))


def _change(book: Book, one: RecordChange) -> Columns:
    person = one.person
    entry = book.entry(one.event_id, one.on, person.birth_home)
    entry.on = one.on
    by, relation = _requester(person, one)
    row = book.header(entry, "CHANGE_CORRECTION", by, relation)
    row["citizen_id"] = book.number(person, "changes", entry)
    row["extract_no"] = f"{row['register_no']}"
    row["change_kind"] = one.kind
    row["changed_field"] = one.what
    if one.old:
        row["old_value"] = one.old
    row["new_value"] = one.new
    row["reason"] = one.reason
    row["basis_document"] = "Tờ khai và giấy tờ kèm theo"
    if person.birth_entry is not None and person.birth_entry.on < one.on:
        row["target_event_id"] = person.birth_entry.event_id
    return row


def _requester(person: Citizen, one: RecordChange) -> tuple[Citizen, str]:
    """Return who asked for a change: adults themselves, a parent for children."""
    for parent, relation in ((person.mother, "mẹ"), (person.father, "cha")):
        if parent is not None and parent.alive_on(one.on) and age_on(person.born, one.on) < 18:
            return parent, relation
    return person, "bản thân"


def court_notes(book: Book) -> None:
    """Write the notes of court decisions; one of an adoption says no more than its kind."""
    for one in book.family.notes:
        book.add("court_notes", _note(book, one))


def _note(book: Book, one: Note) -> Columns:
    person, adoption = one.person, one.kind == "ADOPTION"
    entry = book.entry(one.event_id, one.effective, person.home)
    entry.status = one.status
    row = book.header(entry, one.kind)
    row["citizen_id"] = book.number(person, "court_notes", entry)
    if one.spouse is not None:
        row["spouse_id"] = one.spouse.number
    if one.child is not None:
        row["child_ids"] = (one.child.number,)
    row["court_name"] = (
        person.home.office if adoption else court(person.home.province.name, one.decided, book)
    )
    letters = "QĐ-UBND" if adoption else "QĐST-VDS"
    row["decision_no"] = f"{between(book.rng, 1, 200)}/{one.decided.year}/{letters}"
    row["decision_date"] = one.decided
    row["effective_date"] = one.effective
    row["content"] = _CONTENT[one.kind]
    if one.revoked_by is not None:
        row["revoked_by_event_id"] = one.revoked_by
    return row
