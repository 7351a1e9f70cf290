"""What a verified receipt says, in sentences: for the command line and for pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connectors.description import Text
from gateway.keys.keyring import KID_MARK
from gateway.procedures.checks.definition import CheckDefinition
from gateway.procedures.checks.rule import AllOf, AnyOf, Condition, ProcedureRule
from gateway.procedures.registry import procedure_of
from gateway.receipts.statement import CheckStatement, RuleStatement, SourceStatement
from gateway.receipts.verify import VerifiedReceipt
from gateway.runtime.clock import LEGAL_ZONE


def describe_receipt(receipt: VerifiedReceipt) -> list[Text]:
    """Return what a receipt states, line by line; lines of a list begin with a dash.

    Titles of procedures and rules are those of this version of the gateway; a code that it does not
    know stands for itself.
    """
    return [
        *_describe_check(receipt.statement.check),
        *_describe_origin(receipt),
        *_describe_disclosed(receipt),
        Text(
            "Kết quả kiểm tra chỉ để tham khảo; người có thẩm quyền quyết định.",
            "The check advises; the officer decides.",
        ),
    ]


def describe_timestamp(moment: datetime) -> Text:
    """Return when an authority saw a receipt."""
    shown = _moment(moment)
    return Text(f"Đóng dấu thời gian lúc {shown}", f"Time stamp of {shown}")


def _describe_check(check: CheckStatement) -> Iterator[Text]:
    procedure = procedure_of(check.procedure)
    title = Text(check.procedure, check.procedure) if procedure is None else procedure.title
    yield Text(
        f"Thủ tục: {title.vi} ({check.procedure})", f"Procedure: {title.en} ({check.procedure})"
    )
    yield Text(f"Kết quả: {check.outcome.title.vi}", f"Outcome: {check.outcome.title.en}")
    day, law = check.at.strftime("%d/%m/%Y"), "; ".join(check.law)
    yield Text(f"Xét theo luật và tuổi ngày {day}: {law}",
               f"By the law and ages of {check.at.isoformat()}: {law}")  # fmt: skip
    if check.facts_as_of is not None:
        moment = _moment(check.facts_as_of)
        yield Text(f"Sự việc đúng vào lúc {moment}", f"Facts as of {moment}")
    yield Text("Các điều kiện:", "Conditions:")
    titles = {} if procedure is None else _titles(procedure.check)
    for rule in check.rules:
        yield _describe_rule(rule, titles.get(rule.code))
    yield Text("Các cơ sở dữ liệu đã hỏi:", "What was asked of the databases:")
    for source in check.sources:
        yield _describe_source(source)
    if check.silent:
        names = ", ".join(check.silent)
        yield Text(f"Không trả lời: {names}", f"Did not answer: {names}")


def _titles(check: CheckDefinition | None) -> dict[str, Text]:
    """Return the titles of the rules of all editions, by their code."""
    editions = () if check is None else check.editions
    rules = (
        rule
        for edition in editions
        for condition in edition.conditions
        for rule in _rules(condition)
    )
    return {rule.code: rule.title for rule in rules}


def _rules(condition: Condition) -> Iterator[ProcedureRule]:
    if isinstance(condition, AllOf | AnyOf):
        for inner in condition.rules:
            yield from _rules(inner)
    else:
        yield condition


def _describe_rule(rule: RuleStatement, title: Text | None) -> Text:
    shown, state, reason = title or Text(rule.code, rule.code), rule.state.title, rule.reason
    vi = f"- {shown.vi} [{rule.code}]: {state.vi}"
    en = f"- {shown.en} [{rule.code}]: {state.en}"
    if reason is None:
        return Text(vi, en)
    return Text(f"{vi} ({reason.title.vi})", f"{en} ({reason.title.en})")


def _describe_source(source: SourceStatement) -> Text:
    name, state = f"{source.database}.{source.list}", source.state.title
    if source.fetched_at is None:
        return Text(f"- {name}: {state.vi}", f"- {name}: {state.en}")
    moment = _moment(source.fetched_at)
    return Text(f"- {name}, lúc {moment}: {state.vi}", f"- {name}, at {moment}: {state.en}")


def _describe_origin(receipt: VerifiedReceipt) -> Iterator[Text]:
    statement, key = receipt.statement, receipt.key
    moment = _moment(statement.issued_at)
    yield Text(
        f"Cấp bởi {statement.issuer} lúc {moment}, yêu cầu số {statement.request_id}",
        f"Issued by {statement.issuer} at {moment}, request {statement.request_id}",
    )
    recipient = " / ".join(name for name in (statement.agency, statement.client) if name)
    yield Text(f"Cấp cho: {recipient}", f"Issued to: {recipient}")
    yield Text(f"Khóa ký {key.id}: {key.status.title.vi}",
               f"Signed with the key {key.id}: {key.status.title.en}")  # fmt: skip
    if key.id.startswith(KID_MARK):
        yield Text("Khóa trình diễn: biên nhận này không có giá trị chứng minh.",
                   "It is a key of the demo: this receipt proves nothing.")  # fmt: skip


def _describe_disclosed(receipt: VerifiedReceipt) -> Iterator[Text]:
    if receipt.case_number is not None:
        yield Text(f"Số hồ sơ: {receipt.case_number}", f"Case: {receipt.case_number}")
    for role, number in receipt.people.items():
        yield Text(f"Người, vai trò {role}: {number}", f"Person, as {role}: {number}")
    for name, value in receipt.input.items():
        yield Text(f"Thông tin {name}: {value}", f"Input {name}: {value}")
    if receipt.undisclosed:
        yield Text(f"Có {receipt.undisclosed} thông tin không được tiết lộ trong bản này.",
                   f"{receipt.undisclosed} claims are not disclosed in this copy.")  # fmt: skip


def _moment(moment: datetime) -> str:
    """Return a moment in the time of Hanoi, to the second."""
    return moment.astimezone(LEGAL_ZONE).isoformat(" ", "seconds")
