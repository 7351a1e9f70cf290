"""Verifying a receipt: with the published keys alone, without asking the gateway.

A receipt is an SD-JWT (RFC 9901): ``<JWS>~<disclosure>~...~``. It verifies in exactly one form. The
header is exactly ``alg``, ``kid`` and ``typ``: nothing in it can choose an algorithm or a key (RFC
8725; no ``crit``, ``jku``, ``jwk`` or ``b64``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from connectors.description import Coded, Text
from gateway.receipts.canonical import decode_base64url, decode_json
from gateway.receipts.disclosures import Disclosure, match_disclosures, parse_disclosure
from gateway.receipts.keys import ALGORITHM, KeyStatus, ReceiptKey, ReceiptKeys
from gateway.receipts.statement import ReceiptStatement, statement_of

#: The type of the JWS (RFC 8725 section 3.11): a token of another purpose is no receipt.
TYPE = "procedure-receipt+sd-jwt"
#: The longest receipt, in characters.
LONGEST = 256 * 1024
#: Names of the claims that may be disclosed.
CASE, PERSON, INPUT = "case", "person.", "input."


class RefusalReason(Coded):
    """Why a text is no receipt that can be relied on."""

    TOO_LONG = "dài hơn mọi biên nhận", "it is longer than any receipt"
    FORM = "không đúng dạng của biên nhận", "it does not have the form of a receipt"
    KEY_UNKNOWN = (
        "khóa ký không phải của cổng này",
        "it is signed with a key that this gateway does not publish",
    )
    KEY_REVOKED = "khóa ký đã bị thu hồi", "the key that signed it was revoked"
    SIGNATURE = "chữ ký không khớp với nội dung", "the signature does not fit the content"
    CONTENT = "nội dung không phải của biên nhận", "the content is not that of a receipt"
    TIMESTAMP = (
        "dấu thời gian không phải của biên nhận này hoặc không đáng tin cậy",
        "the time stamp is not of this receipt, or not of an authority that is trusted",
    )
    DISCLOSURE = (
        "phần tiết lộ kèm theo không thuộc biên nhận này",
        "a disclosure does not belong to this receipt, or is out of place",
    )


class ReceiptRefused(Exception):
    """A text does not verify. ``message``: why, in both languages."""

    def __init__(self, reason: RefusalReason) -> None:
        self.reason = reason
        self.message: Text = reason.title
        super().__init__(self.message.en)


class Confirmation(Coded):
    """Whether a receipt is about somebody, or of a case, as far as it is disclosed."""

    CONFIRMED = "khớp", "confirmed"
    DIFFERS = "không khớp", "it is another"
    NOT_DISCLOSED = "biên nhận không tiết lộ", "the receipt does not disclose it"


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """A receipt whose signature and form were verified.

    ``disclosed``: the claims that are disclosed, by name: ``case``, ``person.<role>`` (the first of
    several: ``person.<role>.1``), ``input.<field>``. ``evidence``: the records that are disclosed,
    by digest. ``undisclosed``: how many claims and records are not.
    """

    statement: ReceiptStatement
    key: ReceiptKey
    disclosed: Mapping[str, Any]
    evidence: Mapping[str, Any]
    undisclosed: int

    @property
    def case_number(self) -> str | None:
        """The case, None where it is not disclosed."""
        return self.disclosed.get(CASE)

    @property
    def people(self) -> Mapping[str, str]:
        """The numbers of the people who are disclosed, by role, as they were named."""
        return _below(self.disclosed, PERSON)

    @property
    def input(self) -> Mapping[str, Any]:
        """The rest of the input that is disclosed, by field."""
        return _below(self.disclosed, INPUT)

    def confirm_person(self, role: str, number: str) -> Confirmation:
        """Say whether ``number`` stands in ``role``; of a role of several: whether any does."""
        people = self.people
        numbers = [
            person_number
            for name, person_number in people.items()
            if name == role or name.startswith(f"{role}.")
        ]
        return _confirm(numbers, number)

    def confirm_case(self, case_number: str) -> Confirmation:
        """Say whether it is the receipt of this case."""
        return _confirm([] if self.case_number is None else [self.case_number], case_number)


def _below(disclosed: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in disclosed.items()
        if name.startswith(prefix)
    }


def _confirm(disclosed: Sequence[str], expected: str) -> Confirmation:
    if not disclosed:
        return Confirmation.NOT_DISCLOSED
    return Confirmation.CONFIRMED if expected in disclosed else Confirmation.DIFFERS


class _Registry(jws.JWSRegistry):
    """Does not warn about the name of the algorithm, which RFC 9864 deprecates."""

    def get_alg(self, name: str) -> Any:
        """Return the algorithm of that name; there is one."""
        if name != ALGORITHM:
            raise ValueError("another algorithm is not accepted")
        return self.algorithms[name]


REGISTRY = _Registry(algorithms=[ALGORITHM])


def verify_receipt(text: str, keys: ReceiptKeys) -> VerifiedReceipt:
    """Return what a receipt states; raises ReceiptRefused.

    ``keys``: those that the gateway publishes. Costs some 150 us and 20 us a disclosure.
    """
    signed, disclosures = split_receipt(text)
    key = _find_key(signed, keys)
    statement = _read_signed(signed, key)
    try:
        matched = match_disclosures(disclosures, statement.digests, statement.evidence)
        disclosed = {
            disclosure.name: disclosure.value
            for disclosure in matched
            if disclosure.name is not None
        }
        _require_strings(disclosed)
    except (ValueError, RecursionError):
        raise ReceiptRefused(RefusalReason.DISCLOSURE) from None
    return VerifiedReceipt(
        statement,
        key,
        disclosed,
        {disclosure.digest: disclosure.value for disclosure in matched if disclosure.name is None},
        len(statement.digests) + len(statement.evidence) - len(matched),
    )


def split_receipt(text: str) -> tuple[str, list[str]]:
    """Return the JWS and the disclosures of a receipt, as texts; raises ReceiptRefused."""
    if len(text) > LONGEST:
        raise ReceiptRefused(RefusalReason.TOO_LONG)
    signed, *disclosures = text.split("~")
    if not disclosures or disclosures.pop() != "" or not text.isascii():
        raise ReceiptRefused(RefusalReason.FORM)
    return signed, disclosures


def join_receipt(signed: str, disclosures: Sequence[str]) -> str:
    """Return the text of a receipt."""
    return "~".join((signed, *disclosures, ""))


def select_disclosures(text: str, names: Collection[str], *, evidence: bool = False) -> str:
    """Return a receipt with the disclosures called ``names`` alone: what its holder shows.

    ``evidence``: those of records too. Raises ReceiptRefused for what is no receipt, KeyError for a
    name that it does not disclose. The signature is not verified.
    """
    signed, texts = split_receipt(text)
    try:
        disclosures = [parse_disclosure(text) for text in texts]
    except (ValueError, RecursionError):
        raise ReceiptRefused(RefusalReason.DISCLOSURE) from None
    missing = set(names) - {disclosure.name for disclosure in disclosures}
    if missing:
        raise KeyError(min(missing))
    selected = [
        disclosure.text for disclosure in disclosures if _is_selected(disclosure, names, evidence)
    ]
    return join_receipt(signed, selected)


def _is_selected(disclosure: Disclosure, names: Collection[str], evidence: bool) -> bool:
    return evidence if disclosure.name is None else disclosure.name in names


def _require_strings(disclosed: Mapping[str, object]) -> None:
    for name, value in disclosed.items():
        is_text = name == CASE or name.startswith(PERSON)
        if not (is_text or name.startswith(INPUT)) or (is_text and not isinstance(value, str)):
            raise ValueError("it is no claim of a receipt")


def _find_key(signed: str, keys: ReceiptKeys) -> ReceiptKey:
    try:
        header = decode_json(decode_base64url(signed.partition(".")[0]))
    except (ValueError, RecursionError):
        raise ReceiptRefused(RefusalReason.FORM) from None
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str) or header != header_of(kid):
        raise ReceiptRefused(RefusalReason.FORM)
    key = keys.by_id.get(kid)
    if key is None:
        raise ReceiptRefused(RefusalReason.KEY_UNKNOWN)
    if key.status is KeyStatus.REVOKED:
        raise ReceiptRefused(RefusalReason.KEY_REVOKED)
    return key


def header_of(kid: str) -> dict[str, str]:
    """Return the header of a receipt that the key ``kid`` signs."""
    return {"alg": ALGORITHM, "kid": kid, "typ": TYPE}


def _read_signed(signed: str, key: ReceiptKey) -> ReceiptStatement:
    parts = signed.split(".")
    try:
        payload = decode_base64url(parts[1])
        decode_base64url(parts[2])
        if len(parts) != 3:
            raise ValueError("it is no JWS")
    except (ValueError, LookupError):
        raise ReceiptRefused(RefusalReason.FORM) from None
    try:
        jws.deserialize_compact(signed, key.key, registry=REGISTRY)
    except (JoseError, ValueError, TypeError):
        raise ReceiptRefused(RefusalReason.SIGNATURE) from None
    try:
        return statement_of(decode_json(payload))
    except (ValueError, RecursionError):
        raise ReceiptRefused(RefusalReason.CONTENT) from None
