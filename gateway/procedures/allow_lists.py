"""Names of fields that several procedures need, written once.

Each constant is a piece of an allow-list: names with spaces between them, as in
``Procedure.fields``. What is kept closer than BASIC is in none of them but the last three, which
spell out the insides of structs: ``*`` and a struct's name stop at BASIC.
"""

from __future__ import annotations

#: ``population.identity``: the identity, whether the person lives, and the status of the data.
IDENTITY = (
    "citizen_id family_name middle_name given_name full_name birth_date sex nationality "
    "life_status death_or_missing_date status"
)

#: ``civil_status.births``: the parents, without where and how they live.
KINSHIP = (
    "event_id event_type registration_date status citizen_id full_name sex birth_date "
    "mother.name mother.citizen_id mother.birth_date "
    "father.name father.citizen_id father.birth_date"
)

#: ``civil_status.deaths``: that the person died, and when; not where, or of what.
DEATH = (
    "event_id event_type registration_date registration_office register_no status "
    "citizen_id full_name birth_date death_date death_kind"
)

#: ``civil_enforcement.cases``: that assets may be blocked, and by which agency.
BLOCKING_CASE = "decision_no decision_date agency_id status status_since"

#: ``notary.transactions``: what was notarised, when and where; not the price.
TRANSACTION = "notarial_no organisation_id notary_id notarised_on kind form status related_no"

#: Facts that decide, by the records that hold them (``Procedure.deciding``): whether somebody
#: lives,
LIFE = frozenset({"population.identity", "civil_status.deaths"})
#: whether and to whom they are married,
MARITAL = frozenset(
    {
        "population.identity",
        "civil_status.marriages",
        "civil_status.divorces",
        "civil_status.deaths",
        "civil_status.marital_status_confirmations",
        "civil_status.court_notes",
    }
)
#: what blocks an asset from being disposed of,
BLOCKS = frozenset(
    {"notary.preventive_infos", "civil_enforcement.cases", "civil_enforcement.measures"}
)
#: and what secures a debt.
MEASURES = frozenset(
    {
        "security_measures.registrations",
        "security_measures.collateral",
        "security_measures.amendments",
        "security_measures.enforcement_notices",
    }
)

#: The header of an entry in the civil status books, of a record that is RESTRICTED as a whole.
EVENT = (
    "event_id event_type book_no register_no registration_date "
    "registration_office.agency_code registration_office.name registration_office.level "
    "signatory.name signatory.title registration_kind "
    "requester.name requester.citizen_id requester.relation "
    "status amendments note source_updated_at data_quality"
)


def inside(struct: str, names: str) -> str:
    """Return ``names`` as fields of ``struct``: ``inside("mother", "name")`` is ``mother.name``."""
    return " ".join(f"{struct}.{name}" for name in names.split())


#: The leaves of a place and of a party, for records that are SENSITIVE or RESTRICTED as a whole.
PLACE = "as_recorded as_of facility commune_code province_code country"
PARTY = (
    "kind name citizen_id birth_date ethnicity nationality "
    f"{inside('residence', PLACE)} {inside('id_document', 'kind number issued_on issuer')} "
    "organisation_id enterprise_code representative representative_id"
)
