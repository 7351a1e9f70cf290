"""Each procedure covers the fields it needs, and the lists are consistent.

Covers ``gateway.procedures.*``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.description import Record, Sensitivity
from connectors.registry import installed_databases
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import ALL, procedure_of

PAGE = Path(__file__).parents[4] / "docs/reference/procedures.md"
RECORDS = {
    f"{record.database}.{record.name}": record
    for database in installed_databases()
    for record in database.records
}
LIMITED = [database for database in ALL if not database.unlimited]
#: The list of procedures, P1 to P8; P9 to P12 have no national code.
NATIONAL = {
    *("1.000894", "2.000806", "1.000593", "1.004746"),
    *("1.004873",),
    *("1.001193", "1.000689", "2.000528", "1.004884"),
    *("1.000656", "1.005461"),
    *("2.000635",),
    *("1.001022", "1.004837", "1.004859", "2.001263"),
    *("2.000829",),
    *("1.011441", "1.011442", "1.011443", "1.011445"),
}
#: The purposes of the demo callers (design section 10).
DEMO = {"1.000894", "1.004873", "1.001193", "1.000656", "2.000635"} | {
    "enforcement-verification",
    "bench-unified",
}
CODE = re.compile(r"[12]\.[0-9]{6}|[a-z]+(-[a-z]+)+")
#: What is kept closer as a whole, and the one purpose that sees all of it.
COMPLETE_RECORDS = {
    "2.001263": ("civil_status.adoptions",),
    "notarised-inheritance": ("notary.wills",),
    "address-protection": ("population.protection_orders",),
    "violation-handling": tuple(
        name for name in RECORDS if name.startswith("administrative_violations.")
    ),
}


def the(code: str) -> Procedure:
    procedure = procedure_of(code)
    assert procedure is not None
    return procedure


def covered_columns(procedure: Procedure, record: Record) -> set[str]:
    """Return the fields of ``record`` that the procedure covers, dotted."""
    return {".".join(column.path) for column in record.columns if procedure.covers(record, column)}


def allowed(procedure: Procedure) -> Iterator[Record]:
    """Return the records of which the procedure covers anything."""
    return (record for record in RECORDS.values() if procedure.covers(record, None))


def databases(procedure: Procedure) -> set[str]:
    return {record.database for record in allowed(procedure)}


def single_record_procedure(name: str, words: str) -> Procedure:
    """Return a copy of a procedure that names nothing but ``words`` of one record."""
    return Procedure(("x",), ALL[0].title, (), {name: words})


every_procedure = pytest.mark.parametrize(
    "procedure", LIMITED, ids=lambda procedure: procedure.codes[0]
)


def test_the_codes_of_numbers_are_those_of_the_national_list() -> None:
    assert {code for procedure in ALL for code in procedure.codes if code[0].isdigit()} == NATIONAL


def test_every_purpose_of_the_demo_callers_has_its_procedure() -> None:
    assert {code for code in DEMO if procedure_of(code) is None} == set()


def test_no_code_is_given_twice() -> None:
    counts = Counter(code for procedure in ALL for code in procedure.codes)
    assert [code for code, times in counts.items() if times > 1] == []


def test_a_code_is_a_national_one_or_words() -> None:
    assert [code for procedure in ALL for code in procedure.codes if not CODE.fullmatch(code)] == []


def test_a_code_leads_to_its_procedure_with_the_suffix_of_a_province_and_without() -> None:
    for procedure in ALL:
        for code in procedure.codes:
            assert procedure_of(code) is procedure_of(f"{code}.H38") is procedure


def test_an_unknown_code_is_no_procedure() -> None:
    assert procedure_of("9.999999") is procedure_of("1.000894.38") is procedure_of("") is None


def test_only_the_benchmark_is_unlimited() -> None:
    assert [procedure.codes for procedure in ALL if procedure.unlimited] == [("bench-unified",)]
    assert dict(the("bench-unified").fields) == {}


@every_procedure
def test_every_record_that_is_named_exists(procedure: Procedure) -> None:
    assert set(procedure.fields) - set(RECORDS) == set()


@every_procedure
def test_every_name_shows_some_field(procedure: Procedure) -> None:
    useless = [
        f"{name}: {word}"
        for name, words in procedure.fields.items()
        for word in words.split()
        if not covered_columns(single_record_procedure(name, word), RECORDS[name])
    ]
    assert useless == []


@every_procedure
def test_no_name_repeats_what_another_shows(procedure: Procedure) -> None:
    repeated = []
    for name, words in procedure.fields.items():
        names = words.split()
        for place, word in enumerate(names):
            other_names = " ".join(names[:place] + names[place + 1 :])
            if not covered_columns(
                single_record_procedure(name, word), RECORDS[name]
            ) - covered_columns(single_record_procedure(name, other_names), RECORDS[name]):
                repeated.append(f"{name}: {word}")
    assert repeated == []


@every_procedure
def test_lists_that_may_be_read_can_be_told_apart_ordered_and_filtered(
    procedure: Procedure,
) -> None:
    missing = [
        f"{record.database}.{record.name}.{needed}"
        for record in allowed(procedure)
        for needed in (record.identity, record.date, record.status)
        if needed and not procedure.covers(record, record.column(needed))
    ]
    assert missing == []


@every_procedure
def test_lists_that_hang_on_a_record_can_be_reached(procedure: Procedure) -> None:
    missing = []
    for record in allowed(procedure):
        for parent, column in (lookup.on for lookup in record.lookups if lookup.on):
            above = RECORDS[f"{record.database}.{parent}"]
            if procedure.covers(above, None) and not procedure.covers(above, above.column(column)):
                missing.append(f"{record.database}.{parent}.{column} for {record.name}")
    assert missing == []


@every_procedure
def test_no_record_is_named_that_nothing_leads_to(procedure: Procedure) -> None:
    unreachable = [
        f"{record.database}.{record.name}"
        for record in allowed(procedure)
        if not any(
            procedure.covers(RECORDS[f"{record.database}.{lookup.on[0]}"], None)
            if lookup.on
            else not lookup.hidden
            for lookup in record.lookups
        )
    ]
    assert unreachable == []


@every_procedure
def test_what_is_kept_closer_is_named_by_itself(procedure: Procedure) -> None:
    for record in allowed(procedure):
        fields = procedure.fields[f"{record.database}.{record.name}"].split()
        closer = {
            ".".join(column.path)
            for column in record.columns
            if column.sensitivity > Sensitivity.BASIC
        }
        assert covered_columns(procedure, record) & closer <= set(fields)


@pytest.mark.parametrize("name", RECORDS)
def test_a_star_and_the_names_of_structs_stop_at_basic(name: str) -> None:
    record = RECORDS[name]
    structs = {".".join(c.path[:end]) for c in record.columns for end in range(1, len(c.path))}
    procedure = single_record_procedure(name, " ".join(("*", *structs)))
    assert covered_columns(procedure, record) == {
        ".".join(column.path)
        for column in record.columns
        if column.sensitivity <= Sensitivity.BASIC
    }


@every_procedure
def test_who_the_person_is_may_be_known(procedure: Procedure) -> None:
    """Notices about the dead and the missing are made of these columns."""
    needed = {"citizen_id", "full_name", "birth_date", "sex", "life_status", "status"}
    assert needed <= covered_columns(procedure, RECORDS["population.identity"])


@pytest.mark.parametrize("code", COMPLETE_RECORDS)
def test_some_records_are_seen_whole_and_by_one_purpose_alone(code: str) -> None:
    for name in COMPLETE_RECORDS[code]:
        record = RECORDS[name]
        assert covered_columns(the(code), record) == {
            ".".join(column.path) for column in record.columns
        }
        assert [procedure.codes[0] for procedure in LIMITED if procedure.covers(record, None)] == [
            code
        ]


def test_religion_blood_group_and_other_information_are_for_no_procedure() -> None:
    identity = RECORDS["population.identity"]
    closest = {"religion", "blood_group", "other"}
    assert [
        procedure.codes for procedure in LIMITED if covered_columns(procedure, identity) & closest
    ] == []


def test_a_marriage_desk_sees_population_and_civil_status_alone() -> None:
    assert databases(the("1.000894")) == {"population", "civil_status"}


def test_legal_aid_is_for_requests_for_legal_aid() -> None:
    assert [procedure.codes for procedure in LIMITED if "legal_aid" in databases(procedure)] == [
        ("2.000829",)
    ]


def test_verifying_a_debtors_means_sees_the_five_databases_that_it_needs() -> None:
    assert databases(the("enforcement-verification")) == {
        "population",
        "civil_status",
        "security_measures",
        "notary",
        "civil_enforcement",
    }


def test_a_check_for_sanctions_sees_who_the_person_is_and_nothing_else() -> None:
    assert [record.name for record in allowed(the("no-sanction-check"))] == ["identity"]


def row(procedure: Procedure) -> str:
    """Return the line of a procedure in the table of the page."""
    parts = [
        " ".join(f"`{code}`" for code in procedure.codes),
        procedure.title.vi,
        procedure.title.en,
        "everything" if procedure.unlimited else "; ".join(of_databases(procedure)),
    ]
    return f"| {' | '.join(parts)} |"


def of_databases(procedure: Procedure) -> Iterator[str]:
    """Return ``database: record (fields kept closer), record`` for each database."""
    for database in dict.fromkeys(name.split(".")[0] for name in procedure.fields):
        records = [RECORDS[name] for name in procedure.fields if name.split(".")[0] == database]
        yield f"**{database}** " + ", ".join(of_record(procedure, record) for record in records)


def of_record(procedure: Procedure, record: Record) -> str:
    closer = [c for c in record.columns if c.sensitivity > Sensitivity.BASIC]
    columns = [".".join(column.path) for column in closer if procedure.covers(record, column)]
    if len(columns) == len(record.columns):
        return f"{record.name} (all)"
    return f"{record.name} ({', '.join(columns)})" if columns else record.name


def test_the_page_lists_every_procedure_and_no_other() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == [
        row(procedure) for procedure in ALL
    ]


def test_the_page_lists_which_procedures_can_be_checked() -> None:
    section = PAGE.read_text("utf-8").partition("## Which can be checked")[2].partition("## ")[0]
    assert re.findall(r"^- `(.+)` (.+) / (.+)$", section, re.MULTILINE) == [
        (procedure.codes[0], procedure.title.vi, procedure.title.en)
        for procedure in ALL
        if procedure.check is not None
    ]
