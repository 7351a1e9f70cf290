"""Rules about the spouse of whoever transfers real property.

Law on Marriage and Family 52/2014/QH13 Art. 33-35. A case names whoever transfers in the role
``seller``, perhaps a ``spouse``, and perhaps in ``acquired_on`` when the thing was acquired.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.common_property import PropertyRegime, present_marriage, regime_of
from gateway.procedures.checks.rule import ProcedureCase, RuleResult


def spouse_is_spouse(case: ProcedureCase) -> RuleResult:
    """Whoever is named as the spouse is married to the transferor today."""
    if not case.has("spouse"):
        return RuleResult.passes(
            Text("Hồ sơ không nêu vợ hoặc chồng.", "No spouse is named in the case.")
        )
    marriage = present_marriage(case.person("seller"))
    not_known = Text(
        "Chưa xác định được người được nêu có phải vợ hoặc chồng của bên chuyển nhượng.",
        "It is not known whether the person named is the transferor's spouse.",
    )
    if marriage.reason is not None:
        return RuleResult.unknown(not_known, marriage.reason)
    if marriage.union is None or (
        marriage.union.spouse is not None
        and marriage.union.spouse not in case.person("spouse").numbers
    ):
        return RuleResult.fails(
            Text(
                "Người được nêu không phải vợ hoặc chồng hiện tại của bên chuyển nhượng.",
                "The person named is not the transferor's present spouse.",
            )
        )
    if marriage.union.spouse is None:
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    return RuleResult.passes(
        Text(
            "Người được nêu là vợ hoặc chồng hiện tại của bên chuyển nhượng.",
            "The person named is the transferor's present spouse.",
        ),
        marriage.basis,
    )


_REGIMES = {
    PropertyRegime.SEPARATE: Text(
        "Không phải tài sản chung với vợ hoặc chồng.", "It is no common property with a spouse."
    ),
    PropertyRegime.ENDED_MARRIAGE: Text(
        "Tài sản có từ cuộc hôn nhân đã chấm dứt: cần bản án, thỏa thuận chia tài sản chung hoặc "
        "văn bản về di sản.",
        "It was acquired in a marriage that has ended: its division, or that of the estate, has to "
        "be shown.",
    ),
    PropertyRegime.AGREEMENT: Text(
        "Có thỏa thuận về tài sản của vợ chồng đã công chứng: cần văn bản thỏa thuận.",
        "The spouses have a notarised agreement on property, which has to be shown.",
    ),
}


def spouse_signs(case: ProcedureCase) -> RuleResult:
    """Art. 33-35: spouses dispose of common real property together."""
    regime = regime_of(case, "seller", case.input.acquired_on)
    if regime.reason is not None or regime.value is None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản có phải là tài sản chung của vợ chồng hay không.",
                "It is not known whether the property is common property of spouses.",
            ),
            regime.reason or UnknownReason.NOT_RECORDED,
        )
    if regime.value is PropertyRegime.SEPARATE:
        return RuleResult.passes(_REGIMES[regime.value], regime.basis)
    if regime.value is not PropertyRegime.COMMON:
        return RuleResult.needs_document(_REGIMES[regime.value])
    if case.has("spouse"):
        return RuleResult.needs_person(
            Text(
                "Tài sản chung của vợ chồng: vợ hoặc chồng phải cùng ký.",
                "It is common property of the spouses: the spouse has to sign too.",
            )
        )
    return RuleResult.needs_person(
        Text(
            "Tài sản chung của vợ chồng: hồ sơ phải nêu vợ hoặc chồng, và người đó phải cùng ký.",
            "It is common property of the spouses: the spouse has to be named, and to sign too.",
        )
    )
