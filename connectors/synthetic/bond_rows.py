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
    for adoption in book.family.adoptions:
        child = adoption.child
        entry = book.entry(adoption.event_id, adoption.decided, child.home)
        entry.on = adoption.decided
        row = book.header(
            entry, "ADOPTION", adoption.mother or adoption.father, "người nhận con nuôi"
        )
        row["certificate_no"] = row["register_no"]
        row["decision_date"] = adoption.decided
        row["handover_date"] = adoption.handover
        row["child_id"] = child.number
        if adoption.father is not None:
            row["adopter_father_id"] = adoption.father.number
        if adoption.mother is not None:
            row["adopter_mother_id"] = adoption.mother.number
        if child.birth_mother is not None:
            row |= book.party("biological_mother", child.birth_mother, "adoptions", entry)
        if child.birth_father is not None:
            row |= book.party("biological_father", child.birth_father, "adoptions", entry)
        row["adoption_scope"] = "DOMESTIC"
        row["relation_before"] = adoption.relation
        if adoption.old_name.full != child.name.full:
            row["child_new_name"] = child.name.full
        book.add("adoptions", row)


def guardianships(book: Book) -> None:
    """Write the guardianships (Civil Code 2015 Art. 46-63)."""
    for guardianship in book.family.guardianships:
        entry = book.entry(guardianship.event_id, guardianship.start, guardianship.ward.home)
        row = book.header(entry, "GUARDIANSHIP", guardianship.guardian, "người giám hộ")
        row["registration_no"] = row["register_no"]
        row["ward_id"] = guardianship.ward.number
        row |= book.party("guardian", guardianship.guardian, "guardianships", entry)
        row["guardianship_kind"] = guardianship.kind
        row["reason"] = guardianship.reason
        row["start_date"] = guardianship.start
        if guardianship.kind != "NATURAL":
            row["decision_no"] = f"{between(book.rng, 1, 300)}/{guardianship.start.year}/QĐ-UBND"
        if guardianship.end is not None:
            row["end_date"] = guardianship.end
            row["end_reason"] = _end_of_guardianship(
                guardianship.ward, guardianship.guardian, guardianship.reason, guardianship.end
            )
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
    for recognition in book.family.recognitions:
        entry = book.entry(recognition.event_id, recognition.on, recognition.child.birth_home)
        entry.on = recognition.on
        row = book.header(entry, "PARENT_CHILD_RECOGNITION", recognition.father, "cha")
        row["registration_no"] = row["register_no"]
        row["recognising_id"] = book.number(recognition.father, "recognitions", entry)
        row["recognised_id"] = recognition.child.number
        row["recognition_kind"] = "FATHER_RECOGNISES_CHILD"
        row["evidence"] = (
            "DNA" if book.rng.random() < 0.7 and recognition.on.year > 2005 else "OTHER"
        )
        row["other_parent_consent"] = True
        row["combined_with_birth"] = recognition.combined
        if recognition.child.birth_entry is not None:
            row["birth_event_id"] = recognition.child.birth_entry.event_id
        book.add("recognitions", row)


def changes(book: Book) -> None:
    """Write changes, corrections and supplements (Law 60/2014 Art. 26-29)."""
    for change in book.family.changes:
        book.add("changes", _change(book, change))


def _change(book: Book, change: RecordChange) -> Columns:
    person = change.person
    entry = book.entry(change.event_id, change.on, person.birth_home)
    entry.on = change.on
    by, relation = _requester(person, change)
    row = book.header(entry, "CHANGE_CORRECTION", by, relation)
    row["citizen_id"] = book.number(person, "changes", entry)
    row["extract_no"] = f"{row['register_no']}"
    row["change_kind"] = change.kind
    row["changed_field"] = change.changed_field
    if change.old:
        row["old_value"] = change.old
    row["new_value"] = change.new
    row["reason"] = change.reason
    row["basis_document"] = "Tờ khai và giấy tờ kèm theo"
    if person.birth_entry is not None and person.birth_entry.on < change.on:
        row["target_event_id"] = person.birth_entry.event_id
    return row


def _requester(person: Citizen, change: RecordChange) -> tuple[Citizen, str]:
    """Return who asked for a change: adults themselves, a parent for children."""
    for parent, relation in ((person.mother, "mẹ"), (person.father, "cha")):
        if (
            parent is not None
            and parent.alive_on(change.on)
            and age_on(person.born, change.on) < 18
        ):
            return parent, relation
    return person, "bản thân"


def court_notes(book: Book) -> None:
    """Write the notes of court decisions; one of an adoption says no more than its kind."""
    for note in book.family.notes:
        book.add("court_notes", _note(book, note))


def _note(book: Book, note: Note) -> Columns:
    person, adoption = note.person, note.kind == "ADOPTION"
    entry = book.entry(note.event_id, note.effective, person.home)
    entry.status = note.status
    row = book.header(entry, note.kind)
    row["citizen_id"] = book.number(person, "court_notes", entry)
    if note.spouse is not None:
        row["spouse_id"] = note.spouse.number
    if note.child is not None:
        row["child_ids"] = (note.child.number,)
    row["court_name"] = (
        person.home.office if adoption else court(person.home.province.name, note.decided, book)
    )
    letters = "QĐ-UBND" if adoption else "QĐST-VDS"
    row["decision_no"] = f"{between(book.rng, 1, 200)}/{note.decided.year}/{letters}"
    row["decision_date"] = note.decided
    row["effective_date"] = note.effective
    row["content"] = _CONTENT[note.kind]
    if note.revoked_by is not None:
        row["revoked_by_event_id"] = note.revoked_by
    return row
