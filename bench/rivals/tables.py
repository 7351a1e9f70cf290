"""The rivals' tables as our records: views in their database, and pairs of corresponding fields.

``COLUMNS`` maps our columns of each record to SQL over the rivals' columns. All others are null, so
that our rows keep their full width. ``LEAVES`` pairs the leaves of both schemas, so that answers
can be compared before anything is measured.
"""

from __future__ import annotations

from connectors.description import Column, Kind, Record
from connectors.registry import installed_databases

#: In whose tables each record is kept, and their expressions for our columns.
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "population.identity": (
        "population.identities",
        {
            "citizen_id": "citizen_id",
            "family_name": "last_name",
            "given_name": "first_name",
            "middle_name": "patronymic",
            "birth_date": "birth_date",
            "sex": "sex::text",
            "nationality": "nationality",
            "card_issued_at": "doc_type",
            "residence_file_no": "doc_number",
            "card_issued_on": "doc_issued_on",
            "card_expires_on": "doc_expires_on",
            "native_place_province_code": "region",
            "native_place_commune_code": "city",
            "native_place_as_recorded": "street",
            "native_place_country": "postal_code",
            "life_status": "CASE status WHEN 'ALIVE' THEN 'ALIVE' ELSE 'DEAD' END",
            "status": "'CURRENT'",
        },
    ),
    "civil_status.births": (
        "civil_status.births",
        {
            "event_id": "record_no",
            "citizen_id": "citizen_id",
            "register_no": "record_no",
            "registration_date": "registered_on",
            "birth_place_as_recorded": "place",
            "mother_name": "mother_name",
            "father_name": "father_name",
            "signatory_name": "weight_kg::text",
            "registration_office_name": "office",
            "birth_certificate_no": "certificate_no",
            "book_no": "remarks",
            "status": "'VALID'",
        },
    ),
    "civil_status.marriages": (
        "civil_status.marriages",
        {
            "event_id": "id::text",
            "husband_citizen_id": "citizen_id",
            "requester_citizen_id": "spouse_citizen_id",
            "requester_name": "spouse_name",
            "registration_date": "registered_on",
            "ended_on": "dissolved_on",
            "register_no": "status::text",
            "registration_office_name": "office",
            "certificate_no": "certificate_no",
            "status": "'VALID'",
        },
    ),
    "civil_status.deaths": (
        "civil_status.deaths",
        {
            "event_id": "record_no",
            "citizen_id": "citizen_id",
            "register_no": "record_no",
            "death_date": "died_on",
            "death_place_as_recorded": "place",
            "death_cause": "cause",
            "registration_date": "registered_on",
            "registration_office_name": "office",
            "extract_no": "certificate_no",
            "status": "'VALID'",
        },
    ),
    "security_measures.security_parties": (
        "security_measures.registrations",
        {
            "entry_id": "id::text",
            "registration_no": "id::text",
            "party_citizen_id": "citizen_id",
        },
    ),
    "security_measures.registrations": (
        "security_measures.registrations",
        {
            "registration_no": "id::text",
            "application_no": "reg_number",
            "registered_on": "registered_on",
            "secured_contract_signed_on": "expires_on",
            "requester_name": "creditor_name",
            "obligation": "amount::text",
            "secured_contract_name": "currency",
            "requester_representative": "status::text",
            "secured_contract_number": "contract_no",
        },
    ),
    "security_measures.collateral": (
        "security_measures.collaterals",
        {
            "collateral_id": "id::text",
            "registration_no": "registration_id::text",
            "right_name": "kind::text",
            "description": "description",
            "inventory_value": "value",
            "goods_kind": "currency",
            "chassis_no": "serial_no",
            "warehouse_as_recorded": "location",
            "basis_contract_effective_on": "appraised_on",
        },
    ),
    "legal_aid.cases": (
        "legal_aid.cases",
        {
            "case_no": "id::text",
            "beneficiary_id": "citizen_id",
            "proof": "",
            "refusal_ground": "case_no",
            "request_date": "requested_on",
            "accepted_date": "granted_on",
            "centre_id": "category",
            "assigned_person_id": "lawyer_name",
            "court_case_no": "bar_no",
            "province_code": "status::text",
            "result_summary": "fee::text",
            "subject": "office",
        },
    ),
    "civil_enforcement.enforcement_parties": (
        "enforcement.proceedings",
        {"entry_id": "id::text", "decision_no": "id::text", "party_citizen_id": "citizen_id"},
    ),
    "civil_enforcement.cases": (
        "enforcement.proceedings",
        {
            "decision_no": "id::text",
            "judgment_no": "proceeding_no",
            "decision_date": "opened_on",
            "status_since": "closed_on",
            "issuer_title": "bailiff_name",
            "issuer_name": "creditor_name",
            "pay_account": "amount::text",
            "entrusted_to": "recovered::text",
            "agency_id": "status::text",
            "officer_id": "court",
            "status": "CASE basis WHEN 'alimony' THEN 'ENFORCING' WHEN 'loan' THEN 'POSTPONED' "
            "WHEN 'tax' THEN 'COMPLETED' ELSE 'ENDED' END",
        },
    ),
    "administrative_violations.sanctions": (
        "violations.violations",
        {
            "decision_no": "id::text",
            "violator_citizen_id": "citizen_id",
            "record_no": "protocol_no",
            "decision_date": "committed_on",
            "sector": "article",
            "issuer_title": "description",
            "fine_amount": "fine",
            "execution_deadline": "paid_on",
            "violator_representative": "status::text",
            "issuer_agency": "authority",
            "violator_residence_as_recorded": "place",
        },
    ),
    "notary.transaction_parties": (
        "notary.contracts",
        {"entry_id": "id::text", "notarial_no": "id::text", "party_citizen_id": "citizen_id"},
    ),
    "notary.transactions": (
        "notary.contracts",
        {
            "notarial_no": "id::text",
            "book_no": "contract_no",
            "notarised_on": "notarised_on",
            "related_no": "kind::text",
            "notary_id": "notary_name",
            "organisation_id": "notary_license",
            "requester_name": "counterparty_name",
            "fee": "amount",
            "requester_nationality": "currency",
            "file_location": "subject",
            "content_hash": "status::text",
            "kind": "'OTHER'",
        },
    ),
}
del COLUMNS["legal_aid.cases"][1]["proof"]

#: Their tables that a view reaches by an expression, which therefore needs an index.
_BY_TEXT = (
    ("security_measures.registrations", "id"),
    ("security_measures.collaterals", "registration_id"),
    ("enforcement.proceedings", "id"),
    ("notary.contracts", "id"),
)

_TYPES = {
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
    Kind.DECIMAL: "numeric",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
}


def user_of(database: str) -> str:
    """Return the role that reads a database: its search path leads to the views."""
    return f"bench_{database}"


def statements() -> list[str]:
    """Return SQL that creates the views, a role for each database, and indexes."""
    commands = [
        f"CREATE INDEX IF NOT EXISTS {table.replace('.', '_')}_{column}_text "
        f"ON {table} (({column}::text))"
        for table, column in _BY_TEXT
    ]
    for database in installed_databases():
        schema, user = f"ours_{database.name}", user_of(database.name)
        commands += [
            f"DROP SCHEMA IF EXISTS {schema} CASCADE",
            f"DROP ROLE IF EXISTS {user}",
            f"CREATE SCHEMA {schema}",
            f"CREATE ROLE {user} LOGIN",
            f"ALTER ROLE {user} SET search_path = {schema}",
        ]
        commands += [_view(f"{schema}.{record.table}", record) for record in database.records]
        commands += [
            f"GRANT USAGE ON SCHEMA {schema} TO {user}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}",
        ]
    return commands


def _view(name: str, record: Record) -> str:
    table, expressions = COLUMNS.get(f"{record.database}.{record.name}", (None, {}))
    columns = ", ".join(
        f"{_expression(column, expressions)} AS {column.name}" for column in record.columns
    )
    if table is None:  # theirs have nothing like it: an empty table, as ours often are
        typed = ", ".join(f"{column.name} {_type(column)}" for column in record.columns)
        return f"CREATE TABLE {name} ({typed})"
    return f"CREATE VIEW {name} AS SELECT {columns} FROM {table}"


def _expression(column: Column, expressions: dict[str, str]) -> str:
    expression = expressions.get(column.name)
    return f"NULL::{_type(column)}" if expression is None else expression


def _type(column: Column) -> str:
    return "text" if column.field.many else _TYPES.get(column.field.kind, "text")


#: Their list -> ours, and their leaf -> ours, in the order in which both documents select them.
LEAVES: dict[str, tuple[str, dict[str, str]]] = {
    "identity": (
        "population.identity.item",
        {
            "citizenId": "citizenId",
            "lastName": "familyName",
            "firstName": "givenName",
            "patronymic": "middleName",
            "birthDate": "birthDate",
            "sex": "sex",
            "nationality": "nationality",
            "docType": "card.issuedAt",
            "docNumber": "residenceFileNo",
            "docIssuedOn": "card.issuedOn",
            "docExpiresOn": "card.expiresOn",
            "region": "nativePlace.provinceCode",
            "city": "nativePlace.communeCode",
            "street": "nativePlace.asRecorded",
            "postalCode": "nativePlace.country",
            "status": "lifeStatus",
        },
    ),
    "birth": (
        "civilStatus.births.items.0",
        {
            "recordNo": "registerNo",
            "registeredOn": "registrationDate",
            "place": "birthPlace.asRecorded",
            "motherName": "mother.name",
            "fatherName": "father.name",
            "weightKg": "signatory.name",
            "office": "registrationOffice.name",
            "certificateNo": "birthCertificateNo",
            "remarks": "bookNo",
        },
    ),
    "marriages": (
        "civilStatus.marriages.items",
        {
            "spouseCitizenId": "requester.citizenId",
            "spouseName": "requester.name",
            "registeredOn": "registrationDate",
            "dissolvedOn": "endedOn",
            "status": "registerNo",
            "office": "registrationOffice.name",
            "certificateNo": "certificateNo",
        },
    ),
    "death": (
        "civilStatus.deaths.items.0",
        {
            "recordNo": "registerNo",
            "diedOn": "deathDate",
            "place": "deathPlace.asRecorded",
            "cause": "deathCause",
            "registeredOn": "registrationDate",
            "office": "registrationOffice.name",
            "certificateNo": "extractNo",
        },
    ),
    "securityRegistrations": (
        "securityMeasures.registrations.items",
        {
            "regNumber": "applicationNo",
            "registeredOn": "registeredOn",
            "expiresOn": "securedContract.signedOn",
            "creditorName": "requester.name",
            "amount": "obligation",
            "currency": "securedContract.name",
            "status": "requester.representative",
            "contractNo": "securedContract.number",
            "collaterals": "collateral.items",
        },
    ),
    "collaterals": (
        "",
        {
            "kind": "rightName",
            "description": "description",
            "value": "inventoryValue",
            "currency": "goodsKind",
            "serialNo": "chassisNo",
            "location": "warehouse.asRecorded",
            "appraisedOn": "basisContract.effectiveOn",
        },
    ),
    "legalAid": (
        "legalAid.cases.items",
        {
            "caseNo": "refusalGround",
            "requestedOn": "requestDate",
            "grantedOn": "acceptedDate",
            "category": "centreId",
            "lawyerName": "assignedPersonId",
            "barNo": "courtCaseNo",
            "status": "provinceCode",
            "fee": "resultSummary",
            "office": "subject",
        },
    ),
    "enforcement": (
        "civilEnforcement.cases.items",
        {
            "proceedingNo": "judgmentNo",
            "openedOn": "decisionDate",
            "closedOn": "statusSince",
            "bailiffName": "issuerTitle",
            "creditorName": "issuerName",
            "amount": "payAccount",
            "recovered": "entrustedTo",
            "status": "agencyId",
            "court": "officerId",
            "basis": "status",
        },
    ),
    "violations": (
        "administrativeViolations.sanctions.items",
        {
            "protocolNo": "recordNo",
            "committedOn": "decisionDate",
            "article": "sector",
            "description": "issuerTitle",
            "fine": "fineAmount",
            "paidOn": "executionDeadline",
            "status": "violator.representative",
            "authority": "issuerAgency",
            "place": "violator.residence.asRecorded",
        },
    ),
    "notaryContracts": (
        "notary.transactions.items",
        {
            "contractNo": "bookNo",
            "notarisedOn": "notarisedOn",
            "kind": "relatedNo",
            "notaryName": "notaryId",
            "notaryLicense": "organisationId",
            "counterpartyName": "requester.name",
            "amount": "fee",
            "currency": "requester.nationality",
            "subject": "fileLocation",
            "status": "contentHash",
        },
    ),
}

#: Codes that stand for theirs: (list, leaf) -> ours -> theirs.
CODES: dict[tuple[str, str], dict[str, str]] = {
    ("identity", "status"): {"ALIVE": "ALIVE", "DEAD": "DECEASED"},
    ("enforcement", "basis"): {
        "ENFORCING": "alimony",
        "POSTPONED": "loan",
        "COMPLETED": "tax",
        "ENDED": "utility",
    },
}

#: What W3 asks of each list.
W3 = {
    "identity": ("citizenId", "lastName", "firstName", "birthDate", "sex", "region", "city",
                 "status"),
    "violations": ("protocolNo", "committedOn", "article", "fine", "status", "authority"),
    "enforcement": ("proceedingNo", "openedOn", "amount", "status", "court"),
}  # fmt: skip
