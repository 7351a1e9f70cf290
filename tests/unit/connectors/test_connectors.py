"""Rules for every declared database, and what ``domain.md`` 2.2 to 2.6 requires of five.

Covers ``connectors.population``, ``connectors.civil_status.*``, ``connectors.security_measures``,
``connectors.legal_aid``, ``connectors.civil_enforcement``,
``connectors.administrative_violations``, ``connectors.notary``, ``connectors.tables``,
``connectors.vocabulary``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from graphql import GraphQLObjectType

from connectors.backends.memory import MemoryBackend
from connectors.description import Coded, Database, Field, Record, Sensitivity, Struct
from connectors.registry import installed_databases
from connectors.tables import metadata_of
from connectors.vocabulary import PROVINCES, Party
from tests.support.running import built

P, B, S, R = Sensitivity
DATABASES = {source.name: source for source in installed_databases()}
RECORDS = [record for database in DATABASES.values() for record in database.records]

#: Never declared: the access code of a security registration, passwords, what a will says.
SECRETS = ("access_pin", "ma_ca_nhan", "pin", "password", "secret", "will_content")


def each_database() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", DATABASES.values(), ids=DATABASES.keys())


def each_record() -> pytest.MarkDecorator:
    names = [f"{record.database}.{record.name}" for record in RECORDS]
    return pytest.mark.parametrize("record", RECORDS, ids=names)


def all_fields(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        if field.struct is not None:
            yield from all_fields(field.struct.fields)


def test_the_seven_databases_all_have_records() -> None:
    counts = {name: len(database.records) for name, database in DATABASES.items()}
    assert counts == {
        "administrative_violations": 5,
        "civil_enforcement": 9,
        "civil_status": 10,
        "legal_aid": 6,
        "notary": 9,
        "population": 6,
        "security_measures": 5,
    }


@each_record()
def test_every_field_is_described_in_both_languages(record: Record) -> None:
    for all_field in all_fields(record.fields):
        for text in (all_field.title.vi, all_field.title.en):
            assert text == text.strip()
            assert unicodedata.is_normalized("NFC", text)
        assert not all_field.title.vi.isascii(), f"{all_field.name}: Vietnamese without diacritics"
        assert all_field.title.en, all_field.name
        assert all_field.title.en.isascii(), f"{all_field.name}: English with diacritics"


@each_record()
def test_every_code_is_described_in_both_languages_and_is_no_alias(record: Record) -> None:
    for coded in {
        all_field.enumeration for all_field in all_fields(record.fields) if all_field.enumeration
    }:
        assert len(list(coded)) == len(coded.__members__), f"{coded.__name__} has an alias"
        assert any(not member.title.vi.isascii() for member in coded)
        assert all(member.title.vi and member.title.en.isascii() for member in coded)


@each_record()
def test_nothing_secret_is_declared(record: Record) -> None:
    for column in record.columns:
        for secret in SECRETS:
            assert f"_{secret}_" not in f"_{column.name}_"


@each_database()
def test_the_tables_can_be_made(database: Database) -> None:
    engine = sa.create_engine("sqlite://")
    metadata_of(database).create_all(engine)
    inspector = sa.inspect(engine)
    for record in database.records:
        columns = [get_column["name"] for get_column in inspector.get_columns(record.table)]
        assert columns == [column.name for column in record.columns]
    engine.dispose()


@each_database()
def test_a_section_asked_for_alone_has_a_list_to_ask(database: Database) -> None:
    first = database.records[0].lookups[0]
    assert first.on is None
    assert not first.hidden


def test_type_names_are_unique_over_all_databases() -> None:
    owners: dict[str, object] = {}
    for record in RECORDS:
        origins: list[tuple[str, object]] = [(record.type_name, record)]
        for all_field in all_fields(record.fields):
            if all_field.enumeration is not None:
                origins.append((all_field.enumeration.__name__, all_field.enumeration))
            if all_field.struct is not None:
                origins.append((all_field.struct.name, all_field.struct))
        for name, origin in origins:
            assert owners.setdefault(name, origin) == origin, f"two declarations of {name}"


def test_one_schema_holds_all_seven_with_every_field_of_every_record() -> None:
    schema = built(tuple(DATABASES.values()))
    for record in RECORDS:
        child_lists = [
            lookup.name
            for child in DATABASES[record.database].records
            for lookup in child.lookups
            if lookup.on is not None and lookup.on[0] == record.name
        ]
        links = [field.person for field in record.fields if field.person]
        names = ["record_id", *(field.name for field in record.fields), *links, *child_lists]
        assert len(set(names)) == len(names), f"{record.type_name} has two fields of one name"
        record_type = schema.type_map.get(record.type_name)
        if record_type is None:
            assert all(lookup.hidden for lookup in record.lookups)
            continue
        assert isinstance(record_type, GraphQLObjectType)
        assert len(record_type.fields) == len(names)


def test_every_party_is_the_same_struct() -> None:
    structs: set[Struct] = set()
    for record in RECORDS:
        for all_field in all_fields(record.fields):
            if all_field.struct is not None and {"citizen_id", "enterprise_code"} & {
                inner.name for inner in all_field.struct.fields
            }:
                structs.add(all_field.struct)
    parties = {struct for struct in structs if struct.name != "Requester"}
    assert [party.name for party in parties] == [Party.__name__]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("security_measures", "registrations"),
        ("security_measures.registrations", "parties collateral amendments enforcement_notices"),
        ("legal_aid", "cases beneficiary"),
        ("legal_aid.cases", "centre assigned_person timeline"),
        ("legal_aid.beneficiary", "entitlements"),
        ("civil_enforcement", "cases exit_postponements public_notices"),
        (
            "civil_enforcement.cases",
            "parties judgment obligations verifications measures confirmations",
        ),
        ("administrative_violations", "records sanctions handling_decisions"),
        ("administrative_violations.sanctions", "acts executions"),
        ("notary", "transactions assets preventive_infos wills"),
        ("notary.transactions", "parties transaction_assets organisation notary"),
        ("notary.assets", "asset_transactions owners preventive_infos_on_asset"),
        ("security_measures.collateral", "registration"),
    ],
)
def test_lists_of_a_section_and_of_a_record(path: str, names: str) -> None:
    database, _, parent = path.partition(".")
    lists = [
        lookup.name
        for record in DATABASES[database].records
        for lookup in record.lookups
        if not (lookup.hidden or lookup.entry) and (lookup.on[0] if lookup.on else "") == parent
    ]
    assert lists == names.split()


# ``domain.md`` 2.2 to 2.6: one line each, record and column, and how closely it is kept.
SENSITIVITIES = """
security_measures registrations registration_no P
security_measures registrations effective_time P
security_measures registrations measure_type P
security_measures registrations status P
security_measures registrations deletion_ground P
security_measures registrations secured_contract_number P
security_measures registrations requester_name B
security_measures security_parties role P
security_measures security_parties party_citizen_id B
security_measures security_parties party_enterprise_code B
security_measures security_parties party_residence_as_recorded B
security_measures collateral chassis_no P
security_measures collateral plate_no B
security_measures collateral description P
security_measures amendments affects_priority P
security_measures amendments old_value B
security_measures enforcement_notices reason P
legal_aid cases case_no B
legal_aid cases beneficiary_id B
legal_aid cases beneficiary_category S
legal_aid cases hardship_proof S
legal_aid cases proof_docs S
legal_aid cases subject R
legal_aid cases result_summary R
legal_aid cases status B
legal_aid cases quality_rating B
legal_aid beneficiary name B
legal_aid beneficiary ethnicity S
legal_aid beneficiary residence_commune_code B
legal_aid entitlements category S
legal_aid entitlements proof_doc_no S
legal_aid providers name P
legal_aid aid_persons name P
legal_aid aid_persons citizen_id R
legal_aid timeline note R
civil_enforcement cases decision_no B
civil_enforcement cases status B
civil_enforcement judgment summary R
civil_enforcement judgment kind B
civil_enforcement obligations remaining B
civil_enforcement enforcement_parties party_citizen_id B
civil_enforcement enforcement_parties phone R
civil_enforcement verifications accounts S
civil_enforcement verifications marital_status B
civil_enforcement verifications permanent_residence_province_code B
civil_enforcement measures asset_ref B
civil_enforcement exit_postponements person_id B
civil_enforcement public_notices debtor_name_published P
civil_enforcement public_notices debtor_address_published P
civil_enforcement public_notices outstanding_obligation P
civil_enforcement public_notices reason P
civil_enforcement public_notices debtor_citizen_id B
civil_enforcement confirmations content B
administrative_violations records record_no S
administrative_violations records description S
administrative_violations records violator_name S
administrative_violations sanctions violator_citizen_id S
administrative_violations sanctions violator_enterprise_code S
administrative_violations sanctions fine_amount S
administrative_violations sanctions status S
administrative_violations acts legal_ref S
administrative_violations executions completed_on S
administrative_violations handling_decisions measure S
notary transactions notarial_no B
notary transactions kind B
notary transactions value R
notary transaction_parties party_citizen_id B
notary transaction_parties spouse_id B
notary assets certificate_no B
notary assets parcel_map_sheet B
notary asset_owners owner_citizen_id B
notary preventive_infos person_id B
notary preventive_infos level B
notary preventive_infos attachment_ref R
notary wills notarial_no R
notary wills testator_id R
notary wills opened_on R
notary notarial_organisations name P
notary notaries status P
"""
LETTERS = {"P": P, "B": B, "S": S, "R": R}


@pytest.mark.parametrize("line", SENSITIVITIES.strip().splitlines())
def test_sensitivities_are_those_of_the_domain(line: str) -> None:
    database, record, column, letter = line.split()
    actual = DATABASES[database].by_name[record].column(column)
    assert actual.sensitivity is LETTERS[letter]


def test_all_of_administrative_violations_is_sensitive_and_all_of_wills_restricted() -> None:
    for record in DATABASES["administrative_violations"].records:
        assert {column.sensitivity for column in record.columns} == {S}
    wills = DATABASES["notary"].by_name["wills"]
    assert {column.sensitivity for column in wills.columns} == {R}
    assert {column.name for column in wills.columns} == {
        *("notarial_no", "testator_id", "notarised_on", "keeper_id", "replaced_by", "opened_on")
    }


@pytest.mark.parametrize("name", ["ethnicity", "religion"])
def test_ethnicity_and_religion_are_sensitive_wherever_they_stand(name: str) -> None:
    for record in RECORDS:
        for column in record.columns:
            if column.path[-1] == name:
                assert column.sensitivity >= S, f"{record.type_name}.{column.name}"


@pytest.mark.parametrize(
    ("database", "record", "column", "codes"),
    [
        (
            "security_measures",
            "registrations",
            "measure_type",
            "MORTGAGE PLEDGE RETENTION_OF_TITLE DEPOSIT SECURITY_COLLATERAL ESCROW",
        ),
        (
            "security_measures",
            "collateral",
            "collateral_type",
            "MOTOR_VEHICLE VESSEL_INLAND_FISHING_RAIL INVENTORY TEMP_CONSTRUCTION ANNUAL_CROP "
            "INSTALLED_MOVABLE MACHINERY PROPERTY_RIGHT RECEIVABLE UNLISTED_SECURITIES "
            "FUTURE_MOVABLE ALL_MOVABLES",
        ),
        (
            "legal_aid",
            "cases",
            "beneficiary_category",
            "MERITORIOUS POOR_HOUSEHOLD CHILD ETHNIC_MINORITY_SPECIAL_AREA ACCUSED_16_18 "
            "ACCUSED_NEAR_POOR MARTYR_FAMILY AGENT_ORANGE ELDERLY DISABLED VICTIM_16_18 "
            "DOMESTIC_VIOLENCE_VICTIM TRAFFICKING_VICTIM HIV",
        ),
        (
            "civil_enforcement",
            "cases",
            "status",
            "PENDING_DECISION IN_VOLUNTARY_PERIOD ENFORCING NO_CONDITIONS POSTPONED "
            "TEMPORARILY_SUSPENDED DISCONTINUED RETURNED ENTRUSTED COMPLETED ENDED",
        ),
        (
            "civil_enforcement",
            "measures",
            "kind",
            "FREEZE_ACCOUNT TEMP_HOLD SUSPEND_REGISTRATION DEDUCT_ACCOUNT DEDUCT_INCOME "
            "SEIZE_ASSET EXPLOIT_ASSET FORCE_DELIVERY FORCE_ACT",
        ),
        (
            "administrative_violations",
            "sanctions",
            "status",
            "ISSUED AMENDED CANCELLED EXECUTED PARTLY EXPIRED APPEALED",
        ),
        (
            "notary",
            "transactions",
            "kind",
            "SALE DONATION MORTGAGE LEASE CAPITAL_CONTRIBUTION DEPOSIT AUTHORISATION "
            "INHERITANCE_DIVISION INHERITANCE_DECLARATION RENUNCIATION "
            "SPOUSAL_PROPERTY_AGREEMENT WILL CANCEL AMEND OTHER",
        ),
    ],
)
def test_codes_are_those_of_the_domain(database: str, record: str, column: str, codes: str) -> None:
    coded = DATABASES[database].by_name[record].column(column).field.enumeration
    assert coded is not None
    assert issubclass(coded, Coded)
    assert list(coded.__members__) == codes.split()


def test_coverage_says_what_an_empty_list_is_empty_of() -> None:
    excluded = {exclude.en for exclude in DATABASES["security_measures"].coverage.excludes}
    assert {"land and what is attached to it", "aircraft", "sea-going ships"} <= excluded
    assert len(PROVINCES) == 34
    assert DATABASES["legal_aid"].coverage.provinces == PROVINCES
    assert DATABASES["notary"].coverage.provinces == PROVINCES
    wills = DATABASES["notary"].by_name["wills"].coverage
    assert wills is not None
    assert wills.provinces == PROVINCES


@pytest.mark.parametrize(
    ("database", "name", "by", "through"),
    [
        (
            "security_measures",
            "registrations",
            ("party_citizen_id", "party_enterprise_code"),
            ("security_parties", "registration_no"),
        ),
        (
            "civil_enforcement",
            "cases",
            ("party_citizen_id", "party_enterprise_code"),
            ("enforcement_parties", "decision_no"),
        ),
        (
            "notary",
            "transactions",
            ("party_citizen_id", "party_enterprise_code"),
            ("transaction_parties", "notarial_no"),
        ),
        (
            "notary",
            "assets",
            ("owner_citizen_id", "owner_enterprise_code"),
            ("asset_owners", "asset_id"),
        ),
        (
            "notary",
            "transaction_assets",
            ("notarial_no",),
            ("transaction_asset_links", "asset_id"),
        ),
    ],
)
def test_lists_that_go_through_another_record(
    database: str, name: str, by: tuple[str, ...], through: tuple[str, str]
) -> None:
    lists = {
        lookup.name: (record, lookup)
        for record in DATABASES[database].records
        for lookup in record.lookups
    }
    record, lookup = lists[name]
    assert (lookup.by, lookup.through) == (by, through)
    other = DATABASES[database].by_name[through[0]]
    assert {*by, through[1]} <= other.positions.keys()
    assert through[1] in record.positions


async def test_a_couples_house_is_found_by_either_and_with_its_sale() -> None:
    """Held in common, sold by both: each finds sale and house once; the buyer finds no asset."""
    husband, wife, buyer = "001085000001", "001187000002", "079090000003"
    rows: dict[str, list[dict[str, object]]] = {
        "transactions": [{"notarial_no": "1"}, {"notarial_no": "2"}],
        "transaction_parties": [
            {"entry_id": str(place), "notarial_no": number, "party_citizen_id": person}
            for place, (number, person) in enumerate(
                [("1", husband), ("1", wife), ("1", wife), ("1", buyer), ("2", "x")]
            )
        ],
        "transaction_asset_links": [{"entry_id": "1", "notarial_no": "1", "asset_id": "house"}],
        "assets": [{"asset_id": "house", "kind": "HOUSE"}, {"asset_id": "car"}],
        "asset_owners": [
            {"entry_id": "1", "asset_id": "house", "owner_citizen_id": husband},
            {"entry_id": "2", "asset_id": "house", "owner_citizen_id": wife},
        ],
    }
    notary = DATABASES["notary"]
    backend = MemoryBackend(notary, rows)

    async def look_up(record: str, name: str, key: str) -> list[object]:
        (lookup,) = (item for item in notary.by_name[record].lookups if item.name == name)
        batch = await backend.fetch(notary.by_name[record], lookup, [key])
        assert not batch.by_key[key].unreadable
        return [row[0] for row in batch.by_key[key].rows]

    for spouse in (husband, wife):
        assert await look_up("transactions", "transactions", spouse) == ["1"]
        assert await look_up("assets", "assets", spouse) == ["house"]
    assert await look_up("transactions", "transactions", buyer) == ["1"]
    assert await look_up("assets", "assets", buyer) == []
    assert await look_up("assets", "transaction_assets", "1") == ["house"]
    assert await look_up("assets", "transaction_assets", "2") == []
