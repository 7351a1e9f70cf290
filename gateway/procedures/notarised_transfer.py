"""P9: notarised transfer of real property.

Land Law 31/2024/QH15 Art. 27 and 45, Law on Notarization 46/2024/QH15, Law on Marriage and Family
52/2014/QH13 Art. 33-35 (own knowledge): the seller's identity and capacity, whether a spouse must
sign because the property is common, nothing that blocks the asset, no earlier transfer of it, and,
where the owner died, who inherits. What was paid before is not needed.

The land registries are outside: whether the property is mortgaged there a document has to show, so
that the check never comes out as met. Who inherits is not concluded from kinship: a will or an heir
of another order may come before, and the notarised division of the estate says who took the thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber, ThingKey
from gateway.derived.life_status import LIFE_LISTS
from gateway.derived.view import LaterReads
from gateway.procedures.allow_lists import (
    BLOCKING_CASE,
    BLOCKS,
    DEATH,
    IDENTITY,
    KINSHIP,
    LIFE,
    MARITAL,
    MEASURES,
    TRANSACTION,
)
from gateway.procedures.checks.capacity import CAPACITY_LISTS, acts_alone, not_incapacitated
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Edition,
    Paper,
    TimeUnit,
)
from gateway.procedures.checks.enforcement_law import (
    LAW_OF_2008,
    LAW_OF_2026,
    SINCE_2026,
    EnforcementLaw,
)
from gateway.procedures.checks.enforcement_measures import (
    CASES,
    MEASURE_LATER,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.marital import MARITAL_LATER, MARITAL_LISTS, MARITAL_PEOPLE
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.property_transfer import (
    OWNERS_MOST,
    co_owners_sign,
    is_real_property,
    land_registry,
    no_block,
    no_measure,
    no_registered_security,
    not_transferred,
    seller_inherits,
    seller_owns,
)
from gateway.procedures.checks.real_property import (
    ASSET_LATER,
    ASSET_THINGS,
    ON_PERSON,
    OWNED,
)
from gateway.procedures.checks.rule import AnyOf, ProcedureRule
from gateway.procedures.checks.security_interests import (
    SECURITY_LATER,
    SECURITY_LISTS,
)
from gateway.procedures.checks.spouse_consent import spouse_is_spouse, spouse_signs
from gateway.procedures.procedure import Procedure

_SELLER = Text("Bên chuyển nhượng", "The transferor")
_BUYER = Text("Bên nhận chuyển nhượng", "The transferee")
_SPOUSE = Text("Vợ hoặc chồng của bên chuyển nhượng", "The transferor's spouse")
_FAMILY_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 33-35",
    "Law on Marriage and Family 52/2014, Art. 33-35",
)


@dataclass(frozen=True, slots=True)
class NotarisedTransferInput:
    """Chuyển nhượng nhà, đất / Transfer of real property."""

    seller: Annotated[PersonNumber, Text("bên chuyển nhượng", "transferor")]
    buyer: Annotated[PersonNumber, Text("bên nhận chuyển nhượng", "transferee")]
    spouse: Annotated[
        PersonNumber | None,
        Text("vợ hoặc chồng của bên chuyển nhượng", "the transferor's spouse"),
    ] = None
    certificate_number: Annotated[
        ThingKey | None, Text("số phát hành Giấy chứng nhận", "serial number of the certificate")
    ] = None
    asset_number: Annotated[
        ThingKey | None,
        Text(
            "mã tài sản trong cơ sở dữ liệu công chứng, nếu không nêu Giấy chứng nhận",
            "number of the asset in the notaries' database, in place of the certificate",
        ),
    ] = None
    acquired_on: Annotated[
        date | None,
        Text(
            "ngày xác lập quyền theo Giấy chứng nhận, nếu cơ sở dữ liệu không có",
            "when it was acquired, by the certificate, where the database does not say",
        ),
    ] = None


def _find_fault(checked: NotarisedTransferInput) -> str | None:
    if (checked.certificate_number is None) is (checked.asset_number is None):
        return "name the property by certificateNumber or by assetNumber, and not by both"
    return None


_PARTY_CONDITIONS: tuple[ProcedureRule, ...] = (
    identified("seller", _SELLER),
    alive("seller", _SELLER),
    not_incapacitated("seller", _SELLER),
    acts_alone("seller", _SELLER),
    identified("buyer", _BUYER),
    alive("buyer", _BUYER),
    not_incapacitated("buyer", _BUYER),
    acts_alone("buyer", _BUYER),
    where_named("spouse", identified("spouse", _SPOUSE)),
    where_named("spouse", alive("spouse", _SPOUSE)),
    where_named("spouse", not_incapacitated("spouse", _SPOUSE)),
    where_named("spouse", acts_alone("spouse", _SPOUSE)),
    ProcedureRule(
        "SPOUSE_IS_SPOUSE",
        Text("người được nêu là vợ hoặc chồng", "whoever is named is the spouse"),
        _FAMILY_LAW,
        spouse_is_spouse,
    ),
    ProcedureRule(
        "SPOUSE_SIGNS",
        Text("vợ hoặc chồng cùng ký", "the spouse signs too"),
        _FAMILY_LAW,
        spouse_signs,
    ),
)


def _title(land: Text) -> AnyOf:
    """Return the condition that the transferor has the right, as an owner or as an heir."""
    inheritance = Text(
        "Bộ luật Dân sự 91/2015/QH13, Điều 609-662", "Civil Code 91/2015, Art. 609-662"
    )
    return AnyOf(
        "TITLE",
        Text("bên chuyển nhượng có quyền", "the transferor has the right"),
        (
            ProcedureRule(
                "SELLER_OWNS", Text("đứng tên tài sản", "is an owner"), land, seller_owns
            ),
            ProcedureRule(
                "SELLER_INHERITS",
                Text("được thừa kế tài sản", "has inherited it"),
                inheritance,
                seller_inherits,
                is_concealed=True,
            ),
        ),
    )


def _thing_conditions(
    enforcement: EnforcementLaw, notarisation: Text, land: Text
) -> tuple[ProcedureRule | AnyOf, ...]:
    """Return the conditions of the thing that is transferred."""
    owner = Text("Bộ luật Dân sự 91/2015/QH13, Điều 218", "Civil Code 91/2015, Art. 218")
    return (
        ProcedureRule("REAL_PROPERTY", Text("nhà, đất", "real property"), land, is_real_property),
        _title(land),
        ProcedureRule(
            "CO_OWNERS_SIGN",
            Text("đồng sở hữu cùng ký", "other owners sign too"),
            owner,
            co_owners_sign,
        ),
        ProcedureRule(
            "NO_BLOCK",
            Text("không bị ngăn chặn giao dịch", "nothing blocks the transaction"),
            notarisation,
            no_block,
        ),
        ProcedureRule(
            "NO_ENFORCEMENT_MEASURE",
            Text("không bị biện pháp thi hành án", "under no measure of enforcement"),
            enforcement.measures,
            no_measure,
        ),
        ProcedureRule(
            "NOT_TRANSFERRED",
            Text("chưa chuyển nhượng trước đó", "not transferred before"),
            land,
            not_transferred,
        ),
        ProcedureRule(
            "NO_REGISTERED_SECURITY",
            Text("không có biện pháp bảo đảm đã đăng ký", "no registered security"),
            Text("Nghị định 99/2022/NĐ-CP, Điều 44", "Decree 99/2022, Art. 44"),
            no_registered_security,
        ),
        ProcedureRule(
            "LAND_REGISTRY",
            Text("thế chấp và tranh chấp theo dữ liệu đất đai", "mortgages by the land registry"),
            Text("Nghị định 99/2022/NĐ-CP, Điều 10, 25", "Decree 99/2022, Art. 10, 25"),
            land_registry,
        ),
    )


_PAPERS = (
    Paper(
        "REQUEST",
        Text("Phiếu yêu cầu công chứng, dự thảo giao dịch", "Request, and a draft of the contract"),
    ),
    Paper(
        "SELLER_IDENTITY",
        Text("Giấy tờ tùy thân của bên chuyển nhượng", "Identity card of the transferor"),
        ("population.identity",),
        ("SELLER_IDENTIFIED",),
    ),
    Paper(
        "BUYER_IDENTITY",
        Text("Giấy tờ tùy thân của bên nhận chuyển nhượng", "Identity card of the transferee"),
        ("population.identity",),
        ("BUYER_IDENTIFIED",),
    ),
    Paper(
        "SPOUSE_IDENTITY",
        Text("Giấy tờ tùy thân của vợ hoặc chồng", "Identity card of the spouse"),
        ("population.identity",),
        ("SPOUSE_IDENTIFIED",),
        lambda case: case.has("spouse"),
    ),
    Paper(
        "MARRIAGE_CERTIFICATE",
        Text("Giấy chứng nhận kết hôn", "Marriage certificate"),
        ("civil_status.marriages",),
        ("SPOUSE_IS_SPOUSE",),
        lambda case: case.has("spouse"),
    ),
    Paper(
        "MARITAL_STATUS",
        Text("Giấy xác nhận tình trạng hôn nhân", "Certificate of marital status"),
        ("civil_status.marriages", "civil_status.marital_status_confirmations"),
        ("SPOUSE_SIGNS",),
        lambda case: not case.has("spouse"),
    ),
    Paper("CERTIFICATE", Text("Giấy chứng nhận (bản chính)", "The certificate (original)")),
    Paper(
        "LAND_EXTRACT",
        Text(
            "Xác nhận của văn phòng đăng ký đất đai", "Confirmation of the land registration office"
        ),
    ),
)
_NOTARY_2014 = Text("Luật Công chứng 53/2014/QH13, Điều 40-43", "Law on Notarization 53/2014")
_NOTARY_2024 = Text("Luật Công chứng 46/2024/QH15, Điều 66", "Law on Notarization 46/2024, Art. 66")
_LAND_2013 = Text("Luật Đất đai 45/2013/QH13, Điều 167, 188", "Land Law 45/2013, Art. 167, 188")
_LAND_2024 = Text("Luật Đất đai 31/2024/QH15, Điều 27, 45", "Land Law 31/2024, Art. 27, 45")


def _edition(
    since: date, notarisation: Text, land: Text, enforcement: EnforcementLaw = LAW_OF_2008
) -> Edition:
    return Edition(
        since=since,
        law=(
            notarisation.vi,
            land.vi,
            "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 33-35",
            *enforcement.titles,
        ),
        competent_body=Text(
            "Tổ chức hành nghề công chứng nơi có bất động sản",
            "A notarial organisation of the province where the property is",
        ),
        # (unverified): as long for what is not complicated, ten working days at most.
        deadline=Deadline(2, TimeUnit.WORKING_DAYS, notarisation),
        conditions=(*_PARTY_CONDITIONS, *_thing_conditions(enforcement, notarisation, land)),
        papers=_PAPERS,
    )


_PERSON_LISTS = tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS)))

CHECK = CheckDefinition(
    name="notarised_transfer",
    input=NotarisedTransferInput,
    roles={
        "seller": tuple(
            dict.fromkeys(
                (*_PERSON_LISTS, *MARITAL_LISTS, *SECURITY_LISTS, CASES, OWNED, ON_PERSON)
            )
        ),
        "buyer": _PERSON_LISTS,
        "spouse": (*_PERSON_LISTS, CASES, OWNED, ON_PERSON),
    },
    things=ASSET_THINGS,
    editions=(
        _edition(date(2015, 1, 1), _NOTARY_2014, _LAND_2013),
        _edition(date(2024, 8, 1), _NOTARY_2014, _LAND_2024),
        _edition(date(2025, 7, 1), _NOTARY_2024, _LAND_2024),
        _edition(SINCE_2026, _NOTARY_2024, _LAND_2024, LAW_OF_2026),
    ),
    later=(
        *MARITAL_LATER,
        *ASSET_LATER,
        *MEASURE_LATER,
        *SECURITY_LATER,
        *(LaterReads(name, OWNERS_MOST) for name in LIFE_LISTS),
    ),
    people=MARITAL_PEOPLE + OWNERS_MOST,
    find_fault=_find_fault,
)

PROCEDURE = Procedure(
    codes=("notarised-transfer",),
    title=Text("Công chứng chuyển nhượng nhà, đất", "Notarised transfer of real property"),
    legal_basis=(
        "Luật Công chứng 46/2024/QH15",
        "Luật Đất đai 31/2024/QH15, Điều 27, 45",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 33-35",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "civil_status.births": KINSHIP,
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.marital_status_confirmations": "*",
        "civil_status.court_notes": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "civil_enforcement.cases": BLOCKING_CASE,
        "civil_enforcement.measures": "*",
        "notary.transactions": TRANSACTION,
        "notary.transaction_parties": "*",
        "notary.assets": "*",
        "notary.asset_owners": "*",
        "notary.preventive_infos": "*",
        "notary.notarial_organisations": "*",
        "notary.notaries": "*",
    },
    derived=frozenset(
        {
            "guardianship",
            "has_active_block",
            "legal_capacity",
            "life_status",
            "marital_status",
            "residence",
        }
    ),
    deciding=LIFE | MARITAL | BLOCKS | MEASURES,
    check=CHECK,
)
