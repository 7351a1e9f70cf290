"""Rules about real property that somebody wants to transfer, and about what bars it.

The notaries' database knows the owners, the transactions and preventive information; measures of
enforcement and registered securities stand in databases of their own; the land registries are
outside of them all (domain.md 2.2). A case names whoever transfers in the role ``seller``, and
perhaps a ``spouse``.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.derived.active_block import values_of
from gateway.derived.life_status import LifeState, life_on, records_of
from gateway.derived.view import Conclusion, Evidence, UnknownReason
from gateway.procedures.checks.enforcement_measures import (
    CASES,
    REAL_PROPERTY_MEASURES,
    ThingAtStake,
    is_barred,
)
from gateway.procedures.checks.real_property import (
    OWNED,
    history_of,
    owner_numbers,
    owners_of,
    preventive_state,
    property_of,
)
from gateway.procedures.checks.rule import ProcedureCase, RuleResult
from gateway.procedures.checks.security_interests import secured_things

#: As many owners as are looked up.
OWNERS_MOST = 10
#: Kinds of assets that are real property.
_REAL = frozenset({"LAND_USE_RIGHT", "HOUSE", "APARTMENT"})


def is_real_property(case: ProcedureCase) -> RuleResult:
    """Land Law Art. 45(1)(a): there is a certificate; what it is for is real property."""
    thing = property_of(case)
    facts, row = thing.assets, thing.row
    if facts is None:  # named by its number: as far as the transferor is its owner
        facts = case.person("seller").list(OWNED)
        numbers = {identifier.upper() for identifier in thing.ids}
        row = next(
            (
                candidate
                for candidate in facts.rows
                if str(facts.value(candidate, "asset_id")).upper() in numbers
            ),
            None,
        )
    reason = thing.reason or facts.reason
    kind = None if row is None else facts.code(row, "kind")
    if reason is UnknownReason.NOT_COVERED or (reason is None and row is None):
        return RuleResult.needs_document(
            Text(
                "Cơ sở dữ liệu công chứng không có tài sản này: cần Giấy chứng nhận và dữ liệu của "
                "cơ quan đăng ký đất đai.",
                "The notaries' database does not have this property: the certificate and the land "
                "registry's data have to show it.",
            )
        )
    if row is None or kind is None or kind == "OTHER" or reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản được chuyển nhượng.",
                "It is not known what is being transferred.",
            ),
            reason or UnknownReason.NOT_RECORDED,
        )
    if kind not in _REAL:
        return RuleResult.fails(
            Text("Tài sản này không phải nhà, đất.", "This asset is no real property."),
            facts.basis(row),
        )
    return RuleResult.passes(
        Text("Đã xác định được nhà, đất được chuyển nhượng.", "The real property is known."),
        facts.basis(row),
    )


def seller_owns(case: ProcedureCase) -> RuleResult:
    """Land Law Art. 27, 45: whoever has the right transfers it."""
    owners, reason = owners_of(case)
    numbers = case.person("seller").numbers
    not_known = Text(
        "Chưa xác định được bên chuyển nhượng có đứng tên tài sản hay không.",
        "It is not known whether the transferor is an owner on record.",
    )
    if owners is None or reason is not None:
        return RuleResult.unknown(not_known, reason or UnknownReason.NOT_RECORDED)
    for row in owners.rows:
        if not owner_numbers(owners, row).isdisjoint(numbers):
            return RuleResult.passes(
                Text("Bên chuyển nhượng đứng tên tài sản.", "The transferor is an owner."),
                owners.basis(row),
            )
    if any(not owner_numbers(owners, row) for row in owners.rows):
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    return RuleResult.fails(
        Text("Bên chuyển nhượng không đứng tên tài sản.", "The transferor is no owner on record."),
        owners.basis(*owners.rows),
    )


def seller_inherits(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 609-662: an heir transfers what a notarised division gave to the heir."""
    has_died = _owner_has_died(case)
    if has_died.reason is None and not has_died.value:
        return RuleResult.fails(
            Text("Không phải trường hợp thừa kế.", "It is no case of inheritance.")
        )
    history = history_of(case)
    reason = has_died.reason or history.reason
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản có phải là di sản mà bên chuyển nhượng được hưởng.",
                "It is not known whether the property was inherited by the transferor.",
            ),
            reason,
        )
    if history.inherited_by(case.person("seller").numbers) is not None:
        return RuleResult.passes(
            Text(
                "Bên chuyển nhượng đã được hưởng di sản theo văn bản công chứng.",
                "The transferor took the estate by a notarised instrument.",
            )
        )
    return RuleResult.needs_document(
        Text(
            "Người đứng tên đã chết: cần văn bản phân chia, khai nhận di sản đã công chứng.",
            "An owner has died: the notarised division of the estate has to be shown.",
        )
    )


def _owner_has_died(case: ProcedureCase) -> Conclusion:
    """Return whether somebody who is an owner on record, other than the transferor, has died."""
    owners, reason = owners_of(case)
    if owners is None or reason is not None:
        return Conclusion.unknown(reason or UnknownReason.NOT_RECORDED)
    seller = case.person("seller")
    numbers = [
        number for number in values_of(owners, "owner_citizen_id") if number not in seller.numbers
    ]
    lives = [_life_of(seller, number) for number in numbers[:OWNERS_MOST]]
    if any(life.reason is None and life.value is LifeState.DEAD for life in lives):
        return Conclusion.of(True)
    reasons = [life.reason for life in lives if life.reason is not None]
    if len(numbers) > OWNERS_MOST:
        reasons.append(UnknownReason.TOO_MANY_PEOPLE)
    return Conclusion.unknown(reasons[0]) if reasons else Conclusion.of(False)


def _life_of(evidence: Evidence, number: str) -> Conclusion:
    """Return whether an owner lives."""
    owner = evidence.person(number)
    if owner is None or owner.is_shared:
        return Conclusion.unknown(UnknownReason.NUMBERS_INCOMPLETE)
    return life_on(records_of(evidence, owner), evidence.question.valid_on)


def co_owners_sign(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 218(1): owners in common dispose of the whole together."""
    owners, reason = owners_of(case)
    not_known = Text(
        "Chưa xác định được có đồng sở hữu khác hay không.",
        "It is not known whether there are other owners.",
    )
    if owners is None or reason is not None:
        return RuleResult.unknown(not_known, reason or UnknownReason.NOT_RECORDED)
    parties = {
        number
        for role in ("seller", "spouse")
        for person in case.people(role)
        for number in person.numbers
    }
    named = [owner_numbers(owners, row) for row in owners.rows]
    if any(numbers and numbers.isdisjoint(parties) for numbers in named):
        return RuleResult.needs_person(
            Text(
                "Còn người khác đứng tên tài sản: người đó hoặc người thừa kế phải cùng ký.",
                "Others are owners too: they, or their heirs, have to sign.",
            )
        )
    if not all(named):
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    return RuleResult.passes(
        Text("Không có đồng sở hữu khác.", "There is no other owner."),
        owners.basis(*owners.rows),
    )


def no_block(case: ProcedureCase) -> RuleResult:
    """Law 46/2024 Art. 66: preventive measures bar a transaction; warnings are for reference."""
    state = preventive_state(case, "seller", "spouse")
    if state.blocks:
        return RuleResult.fails(
            Text(
                "Đang có thông tin ngăn chặn giao dịch.", "Preventive information blocks transfer."
            ),
            state.blocks,
        )
    if state.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được có thông tin ngăn chặn hay không.",
                "It is not known whether preventive information blocks transfer.",
            ),
            state.reason,
        )
    if state.warnings:
        return RuleResult.passes(
            Text(
                "Không có thông tin ngăn chặn, nhưng có cảnh báo rủi ro cần xem xét.",
                "Nothing blocks transfer, but there are warnings to be considered.",
            ),
            state.warnings,
        )
    return RuleResult.passes(
        Text("Không có thông tin ngăn chặn.", "No preventive information blocks transfer.")
    )


def no_measure(case: ProcedureCase) -> RuleResult:
    """Land Law Art. 45(1)(c): not seized, nor under another measure of enforcement."""
    thing = property_of(case)
    references = {reference.upper() for reference in thing.ids}
    references |= {key.upper() for keys in case.keys.values() for key in keys}
    barred: list[Conclusion] = []
    reason = thing.reason
    for role in ("seller", "spouse"):
        for person in case.people(role):
            assets = person.list(OWNED)
            other_references = {
                asset.upper() for asset in values_of(assets, "asset_id")
            } - references
            stake = ThingAtStake(references, other_references, REAL_PROPERTY_MEASURES)
            barred.append(is_barred(person, person.list(CASES), person.numbers, stake))
            reason = reason or assets.reason or barred[-1].reason
    measure = next((bar for bar in barred if bar.value), None)
    if measure is not None:
        return RuleResult.fails(
            Text(
                "Có biện pháp bảo đảm hoặc cưỡng chế thi hành án đang áp dụng.",
                "A measure of enforcement is in force.",
            ),
            measure.basis,
        )
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản có bị áp dụng biện pháp thi hành án hay không.",
                "It is not known whether the property is under a measure of enforcement.",
            ),
            reason,
        )
    return RuleResult.passes(
        Text(
            "Không có biện pháp thi hành án nào đối với tài sản.",
            "No measure of enforcement is in force on the property.",
        )
    )


def not_transferred(case: ProcedureCase) -> RuleResult:
    """Whoever has transferred the thing has it no more."""
    numbers = [
        number
        for role in ("seller", "spouse")
        for person in case.people(role)
        for number in person.numbers
    ]
    disposed = history_of(case).is_disposed_by(numbers)
    if disposed.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản đã được chuyển nhượng trước đó hay chưa.",
                "It is not known whether the property was transferred before.",
            ),
            disposed.reason,
        )
    if disposed.value:
        return RuleResult.fails(
            Text(
                "Tài sản đã được chuyển nhượng bằng giao dịch công chứng còn hiệu lực.",
                "The property was transferred before, by a notarised transaction that stands.",
            ),
            disposed.basis,
        )
    return RuleResult.passes(
        Text(
            "Không có giao dịch chuyển nhượng nào trước đó còn hiệu lực.",
            "No earlier transfer by the transferor stands.",
        )
    )


def no_registered_security(case: ProcedureCase) -> RuleResult:
    """Decree 99/2022 Art. 44: rights to a home under construction, and what is installed in one."""
    secured = secured_things(case.person("seller"))
    if secured.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được có biện pháp bảo đảm đã đăng ký liên quan hay không.",
                "It is not known whether a registered security may concern the property.",
            ),
            secured.reason,
        )
    if secured.concerns_real_property:
        return RuleResult.needs_document(
            Text(
                "Có biện pháp bảo đảm đã đăng ký có thể liên quan đến nhà, đất: cần văn bản xóa "
                "đăng ký hoặc đồng ý của bên nhận bảo đảm.",
                "A registered security may concern the property: its deletion, or the secured "
                "party's consent, has to be shown.",
            )
        )
    return RuleResult.passes(
        Text(
            "Không có biện pháp bảo đảm nào liên quan trong phạm vi cơ sở dữ liệu về động sản.",
            "No registered security concerns it, as far as the database of movables goes.",
        )
    )


def land_registry(case: ProcedureCase) -> RuleResult:
    """Decree 99/2022 Art. 10, 25: land is registered at the land registration offices."""
    if history_of(case).of_kind("MORTGAGE") is not None:
        return RuleResult.needs_document(
            Text(
                "Nhà, đất đã được thế chấp bằng hợp đồng công chứng. Nguồn này không bao gồm dữ "
                "liệu đất đai: cần xác nhận của văn phòng đăng ký đất đai về việc xóa thế chấp, "
                "hoặc đồng ý của bên nhận thế chấp.",
                "The property was mortgaged by a notarised contract. The land registry is not "
                "covered by this source: it has to confirm that the mortgage was deleted, or the "
                "mortgagee has to consent.",
            )
        )
    return RuleResult.needs_document(
        Text(
            "Nguồn này không bao gồm dữ liệu đất đai: thế chấp, tranh chấp và thời hạn sử dụng "
            "phải do văn phòng đăng ký đất đai xác nhận.",
            "The land registry is not covered by this source: it has to confirm mortgages, "
            "disputes and the term of the land use right.",
        )
    )
