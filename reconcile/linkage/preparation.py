"""The tables that are compared: people, and records without numbers, in forms of equal columns.

Forms of names are those of ``rules.names``. They are computed once for each different text, as
``translate`` over tables of Unicode is what costs most here. People who are protected are in no
table, nor are their names as relatives; adopted people are not among those whose births are sought,
and what was replaced or revoked (the birth before an adoption) is no record here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.parquet as pq

from reconcile.layout import RunFolder
from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.exclusions import Exclusions
from reconcile.linkage.needs import LINKED_RECORDS, linkage_needs
from reconcile.linkage.places import commune_name, province_codes, province_name
from rules.names import LETTERS, PLAIN, TONES

#: Columns of both tables that are compared, beside ``unique_id``, ``row_id`` and ``shown``.
COMPARED = (
    "name", "family", "middle", "given", "marks", "birth_year", "birth_month", "birth_day",
    "birth_swapped", "sex", "province", "commune", "mother", "mother_given", "father",
    "father_given", "spouse", "spouse_given", "partner", "partner_given", "death_year",
    "death_month", "death_day", "death_swapped", "alive",
)  # fmt: skip
_IN_FORCE = "status in ('VALID', 'AMENDED')"


def prepare(backend: LinkageBackend, folder: RunFolder, exclusions: Exclusions) -> None:
    """Make ``people`` and, by record, ``records_<record>`` and ``people_<record>``.

    Reads the extracts of ``linkage_needs``; memory and time are the backend's.
    """
    for (database, record), columns in linkage_needs().items():
        backend.read(f"source_{record}", folder.extract(database, record), columns)
    for record in LINKED_RECORDS:
        identities = unreadable_identities(folder, record)
        backend.register_numbers(f"unreadable_{record}", identities)
    for name, numbers in (("protected", exclusions.protected), ("adopted", exclusions.adopted)):
        backend.register_numbers(f"{name}_numbers", numbers)
        backend.view(name, _excluded(name))
    backend.create("kin", _kin())
    _names(backend)
    _places(backend)
    backend.create("relatives", _relatives())
    backend.create("partners", _partners())
    backend.create("people", _people())
    for record in LINKED_RECORDS:
        backend.create(f"people_{record}", _people_of(record))
        backend.create(f"records_{record}", _RECORDS[record])


def unreadable_identities(folder: RunFolder, record: str) -> set[str]:
    """Return the rows of a record with values that could not be read; they are not compared."""
    file = folder.extract("civil_status", record) / "unreadable.parquet"
    if not file.exists():
        return set()
    column = pq.read_table(file, columns=["identity"]).column("identity")
    return {identity for identity in column.to_pylist() if identity is not None}


def _excluded(name: str) -> str:
    """People by their present number, also where it is a former one that was recorded."""
    return f"""
        select number as citizen_id from {name}_numbers union
        select e.citizen_id from source_earlier_numbers e
        join {name}_numbers x on x.number = e.number"""


def _kin() -> str:
    return """
        select f.citizen_id, f.relation, f.name, f.member_id from source_family f
        left join protected p on p.citizen_id = f.member_id
        where f.relation in ('FATHER', 'MOTHER', 'SPOUSE') and f.name is not null
          and p.citizen_id is null"""


def _union(parts: Sequence[tuple[str, str]]) -> str:
    selects = " union ".join(
        f"select {column} as text from {table} where {column} is not null"
        for table, column in parts
    )
    return f"select text from ({selects}) as texts"


def _names(backend: LinkageBackend) -> None:
    """Make ``names``: each different text with its forms and parts."""
    texts = _union(
        [
            ("source_identity", "full_name"),
            ("source_identity", "other_name"),
            ("kin", "name"),
            *(("source_births", c) for c in ("full_name", "mother_name", "father_name")),
            ("source_deaths", "full_name"),
            *(("source_marriages", f"{role}_name") for role in ("husband", "wife")),
        ]
    )  # fmt: skip
    backend.create("name_texts", texts)
    forms = {"name": PLAIN, "letters": LETTERS, "tones": TONES}
    backend.create_forms("name_forms", "name_texts", forms)
    # A name of one word is a given name. Without any mark, a name says nothing about marks.
    backend.create(
        "names",
        """
        select text, name, given, family,
          nullif(trim(substr(name, length(coalesce(family, '')) + 2,
            length(name) - length(coalesce(family, '')) - length(given) - 1)), '') as middle,
          case when letters <> name or translate(tones, ' .', '') <> ''
            then concat(letters, '|', tones) end as marks
        from (select text, letters, tones, name, split_part(name, ' ', -1) as given,
            case when name like '% %' then split_part(name, ' ', 1) end as family
          from name_forms where name <> '') as parts""",
    )


def _places(backend: LinkageBackend) -> None:
    """Make ``places``: each different text with its commune, and the present code of its province.

    The end of a text is province, district (until 2025), commune; offices are named by commune.
    """
    texts = _union(
        [
            ("source_identity", "birth_place_as_recorded"),
            ("source_residences", "address_as_recorded"),
            ("source_births", "birth_place_as_recorded"),
            ("source_deaths", "last_residence_as_recorded"),
            ("source_marriages", "registration_office_name"),
        ]
    )
    backend.create("place_texts", texts)
    backend.create_forms("place_forms", "place_texts", {"plain": PLAIN})
    quote = backend.quote
    values = ", ".join(f"({quote(name)}, {quote(c)})" for name, c in province_codes().items())
    second, third = ("trim(split_part(plain, ',', -2))", "trim(split_part(plain, ',', -3))")
    office = "replace(replace(plain, 'ubnd ', ''), 'uy ban nhan dan ', '')"
    parts = ", ".join(commune_name(part, quote) for part in (second, third, office))
    last = "trim(split_part(plain, ',', -1))"
    backend.create(
        "places",
        f"""
        select p.text, p.commune, v.code as province
        from (select text, coalesce({parts}) as commune,
            {province_name(last, quote)} as province_name from place_forms) as p
        left join (select * from (values {values}) as v(name, code)) as v
          on v.name = p.province_name""",
    )


def _relatives() -> str:
    """One row a person: plain names of parents and of the present spouse."""
    parts = ", ".join(
        f"min(case when k.relation = '{relation}' then n.{column} end) as {name}"
        for relation, role in (("MOTHER", "mother"), ("FATHER", "father"), ("SPOUSE", "spouse"))
        for column, name in (("name", role), ("given", f"{role}_given"))
    )
    return f"""
        select k.citizen_id, {parts}
        from kin k join names n on n.text = k.name group by k.citizen_id"""


def _partners() -> str:
    """The other parent of somebody's children: who was married in the past, as far as it shows."""
    return """
        select person, min(name) as partner, min(given) as partner_given from (
          select m.member_id as person, n.name, n.given
          from kin m join kin o on o.citizen_id = m.citizen_id and o.relation <> m.relation
          join names n on n.text = o.name
          where m.relation in ('FATHER', 'MOTHER') and o.relation in ('FATHER', 'MOTHER')
            and m.member_id is not null) as parents
        group by person"""


def _dates(prefix: str, column: str) -> str:
    """Columns of a date as far as it is known, and with day and month swapped if that is a date."""
    swapped = (
        f"case when length({column}) = 10 and substr({column}, 9, 2) <= '12' then"
        f" concat(substr({column}, 1, 5), substr({column}, 9, 2), '-', substr({column}, 6, 2)) end"
    )
    return (
        f"substr({column}, 1, 4) as {prefix}_year,"
        f" case when length({column}) >= 7 then substr({column}, 1, 7) end as {prefix}_month,"
        f" case when length({column}) = 10 then {column} end as {prefix}_day,"
        f" {swapped} as {prefix}_swapped"
    )


_NAME_COLUMNS = "n.name, n.family, n.middle, n.given, n.marks"


def _people() -> str:
    """All people who are not protected, twice if they have another name, with all places."""
    columns = "citizen_id, birth_date, sex, life_status, death_or_missing_date"
    birth_place = "birth_place_as_recorded, birth_place_province_code"
    return f"""
        select i.unique_id, i.citizen_id as row_id, {_NAME_COLUMNS},
          {_dates("birth", "i.birth_date")}, i.sex,
          coalesce(i.birth_place_province_code, b.province) as birth_province,
          b.commune as birth_commune, h.province as home_province, h.commune as home_commune,
          r.mother, r.mother_given, r.father, r.father_given, r.spouse, r.spouse_given,
          c.partner, c.partner_given, {_dates("death", "i.death_or_missing_date")},
          case when i.life_status = 'ALIVE' then 'ALIVE' end as alive
        from (select citizen_id as unique_id, full_name as text, {columns}, {birth_place}
              from source_identity
              union all
              select concat(citizen_id, '|other') as unique_id, other_name as text, {columns},
                {birth_place} from source_identity where other_name is not null) as i
        join names n on n.text = i.text
        left join protected p on p.citizen_id = i.citizen_id
        left join places b on b.text = i.birth_place_as_recorded
        left join relatives r on r.citizen_id = i.citizen_id
        left join partners c on c.person = i.citizen_id
        left join ({_homes()}) as h on h.citizen_id = i.citizen_id
        where p.citizen_id is null"""


def _homes() -> str:
    """Where somebody is, or was last, registered for good."""
    return """
        select citizen_id, commune, province from (
          select r.citizen_id, p.commune, coalesce(r.address_province_code, p.province) as province,
            row_number() over (partition by r.citizen_id
              order by r.valid_from desc nulls last, r.address_as_recorded) as place
          from source_residences r left join places p on p.text = r.address_as_recorded
          where r.kind = 'PERMANENT') as homes
        where place = 1"""


def _people_of(record: str) -> str:
    """People as they are compared with a record: with the place that it names."""
    at = "birth" if record == "births" else "home"
    columns = ", ".join(name for name in COMPARED if name not in ("province", "commune"))
    adopted = "where unique_id is not null"
    if record == "births":
        adopted = """left join adopted a on a.citizen_id = p.row_id
            where a.citizen_id is null"""
    return f"""
        select p.unique_id, p.row_id, {at}_province as province, {at}_commune as commune, {columns}
        from people p {adopted}"""


def _columns(values: dict[str, str]) -> str:
    """All columns that are compared; null where a record has none."""
    present = {name for name in COMPARED if f" as {name}" in "".join(values.values())}
    rest = [
        f"{values.get(name, 'cast(null as string)')} as {name}"
        for name in COMPARED
        if name not in present
    ]
    return ", ".join([*(text for text in values.values() if " as " in text), *rest])


def _readable(alias: str, record: str) -> str:
    """A number that could not be read is null in the extract, and yet not missing."""
    return f"{alias}.event_id not in (select number from unreadable_{record})"


def _births() -> str:
    columns = _columns(
        {
            **{c: f"n.{c}" for c in ("name", "family", "middle", "given", "marks")},
            "birth": _dates("birth", "b.birth_date"),
            "sex": "b.sex",
            "province": "coalesce(b.birth_place_province_code, p.province)",
            "commune": "p.commune",
            **{c: f"m.{c.replace('mother', 'name')}" for c in ("mother",)},
            "mother_given": "m.given",
            "father": "f.name",
            "father_given": "f.given",
        }
    )
    return f"""
        select b.event_id as unique_id, b.event_id as row_id, {columns}
        from source_births b join names n on n.text = b.full_name
        left join names m on m.text = b.mother_name left join names f on f.text = b.father_name
        left join places p on p.text = b.birth_place_as_recorded
        where b.citizen_id is null and b.{_IN_FORCE} and {_readable("b", "births")}"""


def _deaths() -> str:
    columns = _columns(
        {
            **{c: f"n.{c}" for c in ("name", "family", "middle", "given", "marks")},
            "birth": _dates("birth", "d.birth_date"),
            "death": _dates("death", "d.death_date"),
            "sex": "d.sex",
            "province": "coalesce(d.last_residence_province_code, p.province)",
            "commune": "p.commune",
        }
    )
    return f"""
        select d.event_id as unique_id, d.event_id as row_id, {columns}
        from source_deaths d join names n on n.text = d.full_name
        left join places p on p.text = d.last_residence_as_recorded
        where d.citizen_id is null and d.{_IN_FORCE} and {_readable("d", "deaths")}"""


def _marriages() -> str:
    """One row for each spouse without a number; foreigners have none."""
    return " union all ".join(
        _spouses(role, other, sex)
        for role, other, sex in (("husband", "wife", "MALE"), ("wife", "husband", "FEMALE"))
    )


def _spouses(role: str, other: str, sex: str) -> str:
    columns = _columns(
        {
            **{c: f"n.{c}" for c in ("name", "family", "middle", "given", "marks")},
            "birth": _dates("birth", f"m.{role}_birth_date"),
            "sex": f"'{sex}'",
            "commune": "p.commune",
            "spouse": "o.name",
            "spouse_given": "o.given",
        }
    )
    return f"""
        select concat(m.event_id, '|{role}') as unique_id, m.event_id as row_id, {columns}
        from source_marriages m join names n on n.text = m.{role}_name
        left join names o on o.text = m.{other}_name
        left join places p on p.text = m.registration_office_name
        where m.{role}_citizen_id is null and m.{_IN_FORCE} and {_readable("m", "marriages")}
          and coalesce(m.{role}_nationality, 'VN') = 'VN'"""


_RECORDS = {"births": _births(), "marriages": _marriages(), "deaths": _deaths()}
