"""The rules by which records are read, in a fixed order: permission, fetch, protection.

Nothing else in the gateway takes rows from a source and passes them on. Both executors decide here
whether to fetch, and protect and merge here what was fetched.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from connectors.description import Record, Row, Sensitivity
from gateway.access.caller import Caller
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.audit.access_log.interests import PersonInterest
from gateway.audit.access_log.page import LogPage
from gateway.catalogue.organisations import AS_WRITTEN
from gateway.catalogue.own_view import is_open, is_own_view
from gateway.catalogue.read import Read
from gateway.catalogue.verification import Verification
from gateway.errors import GatewayError
from gateway.execution.record_ids import RecordIds
from gateway.fetch.loaders import Loader
from gateway.fetch.merge import merge_answers
from gateway.fetch.reads import SubjectNumbers
from gateway.fetch.source import Source
from gateway.limits.verification_attempts import Attempt, AttemptStatus, VerificationAttempts
from gateway.people.identification import says_none, state_for
from gateway.people.matching import NO_MATCHING, MatchingRule, is_comparable
from gateway.people.numbers import PersonNumbers, population_of
from gateway.people.verification import ClaimedIdentity, IdentityVerification, compare_claim
from gateway.plan.cursors import make_cursor
from gateway.plan.list_arguments import ListArguments, LogArguments, filter_and_order, select_page
from gateway.protection.death import deaths_of, is_dead
from gateway.protection.rules import PROTECTION, ProtectionRules
from gateway.receipts.issue import ReceiptIssuer

_PROBLEMS = {
    State.UNAVAILABLE: "SOURCE_UNAVAILABLE",
    State.TIMED_OUT: "SOURCE_TIMED_OUT",
    State.MAINTENANCE: "SOURCE_MAINTENANCE",
    State.DENIED: "FORBIDDEN",
    State.PARTIAL: "BAD_RECORD",
}


class Log(Protocol):
    """Reads access logs."""

    async def page(
        self, numbers: PersonNumbers, arguments: LogArguments, by_representative: bool
    ) -> LogPage:
        """Return a page of the log of the person with ``numbers``.

        ``by_representative``: leaves out what is hidden from representatives. Raises GatewayError
        INVALID_VALUE for ``after``. A log that cannot be read is a state, not an error.
        """
        ...

    async def interests(
        self, numbers: PersonNumbers, by_representative: bool
    ) -> Sequence[PersonInterest] | None:
        """Return who follows the events of a person; None where that cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a list that are shown.

    ``truncated``: there are more, on a following page or at the source. ``ids``: their
    ``recordId``. ``next_cursor``: where the next page begins, None on the last one. Both only where
    they are selected.
    """

    rows: tuple[Row, ...]
    truncated: bool
    ids: Sequence[str]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RecordRules:
    """The rules by which records are read for one request.

    ``today``: the legal date. ``matching``: what the caller has to know of the people it names.
    ``attempts``: counts attempts to match a person. ``checks_numbers``: False where settings say
    that numbers are final. ``special_areas``: communes of extreme difficulty, for checks.
    ``record_ids``: makes the ids of records. ``protection``: decides which records and rows may be
    shown at all. The rest is cached for the request: ``decided`` has what
    the caller lacks for a column, ``reports`` has reports for people by the report of the source,
    ``reports_by_code`` those for organisations, ``listing`` whether the caller may see some list of
    a person.
    """

    caller: Caller
    sources: Mapping[str, Source]
    loaders: Loader
    today: date
    log: Log
    record_ids: RecordIds
    matching: MatchingRule = NO_MATCHING
    attempts: VerificationAttempts | None = None
    checks_numbers: bool = True
    special_areas: Sequence[str] = ()
    protection: ProtectionRules = PROTECTION
    receipts: ReceiptIssuer | None = None
    decided: dict[tuple[Record, int | None, Sensitivity | None], tuple[str, ...]] = field(
        default_factory=dict
    )
    reports: dict[tuple[SourceReport, State, bool | None], SourceReport] = field(
        default_factory=dict
    )
    reports_by_code: dict[SourceReport, SourceReport] = field(default_factory=dict)
    listing: dict[Sensitivity | None, bool] = field(default_factory=dict)

    def missing(
        self, record: Record, position: int | None, open_up_to: Sensitivity | None
    ) -> tuple[str, ...]:
        """Return what the caller lacks for a column of ``record``; None: for the record itself.

        ``open_up_to``: up to which sensitivity these records are open without scope and purpose,
        because they are the citizen's own or were looked up by a document's number
        (``gateway.catalogue.own_view``); None: not at all. Decided once a request: 0.2 us from then
        on.
        """
        key = (record, position, open_up_to)
        missing = self.decided.get(key)
        if missing is None:
            open_ = is_open(record, position, open_up_to)
            missing = self.decided[key] = () if open_ else self.caller.missing_for(record, position)
        return missing

    def visibility(self, open_up_to: Sensitivity | None) -> Callable[[Record, int | None], bool]:
        """Return a predicate: whether the caller may see a column (see ``missing``)."""
        return lambda record, position: not self.missing(record, position, open_up_to)

    def page(
        self,
        read: Read,
        answer: Answer,
        arguments: ListArguments,
        open_up_to: Sensitivity | None,
        *,
        with_ids: bool,
        with_cursor: bool,
    ) -> Page:
        """Return the page of ``answer`` that ``arguments`` select; protection has been applied.

        Its state comes first: where it has no rows and does not say none, a cursor is not looked
        at. Raises GatewayError CURSOR_OUTDATED where what came before the page is not what it was.
        """
        record, rows = read.record, answer.rows or ()
        if not rows and not says_none(answer):
            return Page((), answer.truncated, (), None)

        def ids(shown_rows: Sequence[Row]) -> list[str]:
            return self.record_ids.of(record, rows, shown_rows, self.visibility(open_up_to))

        def cursor(end: int) -> str:
            before = ids(filter_and_order(record, rows, arguments)[:end])
            return make_cursor(self.record_ids.key, record, read.lookup, arguments.order, before)

        begin = 0
        if arguments.after is not None:
            begin = arguments.after.position
            if not hmac.compare_digest(cursor(begin), arguments.after.text):
                raise GatewayError("CURSOR_OUTDATED")
        shown, more = select_page(record, rows, arguments)
        if record.single:
            shown, more = shown[:1], False
        following = cursor(begin + len(shown)) if with_cursor and more else None
        truncated = more or answer.truncated
        return Page(shown, truncated, ids(shown) if with_ids else (), following)

    async def read(
        self,
        read: Read,
        keys: Sequence[str],
        open_up_to: Sensitivity | None,
        identification: Identification | None,
        subject_numbers: SubjectNumbers = (),
    ) -> Answer:
        """Return the records found under any of ``keys``, as the caller may see them.

        ``identification``: of the person whose numbers ``keys`` are, None where they are other
        keys. ``subject_numbers``: of the person for whose view it is.
        """
        record = read.record
        decision = self.decide(record, open_up_to)
        if decision is not None:
            return decision
        if self.protection.opens_on_death(record) and not await self._is_known_dead(keys):
            return self.withheld(record)
        loads = (self.loaders.load(read, key, subject_numbers) for key in keys)
        answer = self.protect_and_merge(record, await asyncio.gather(*loads), identification)
        return self.cover_as_written(read, answer)

    def cover_as_written(self, read: Read, answer: Answer) -> Answer:
        """Return the answer of a list; an organisation's says that its code counts as written."""
        if read.lookup.organisation is None:
            return answer
        before = answer.report
        report = self.reports_by_code.get(before)
        if report is None:
            excludes = (*before.coverage.excludes, AS_WRITTEN)
            report = replace(before, coverage=replace(before.coverage, excludes=excludes))
            self.reports_by_code[before] = report
        return replace(answer, report=report)

    async def _is_known_dead(self, numbers: Sequence[str]) -> bool:
        """Return whether the person with these numbers is known to be dead."""
        deaths = deaths_of(self.sources)
        if deaths is None:
            return False
        answers = [self.loaders.load(deaths, number) for number in numbers]
        return is_dead(deaths.record, await asyncio.gather(*answers))

    def decide(self, record: Record, open_up_to: Sensitivity | None) -> Answer | None:
        """Return the answer where permission or protection decides: nothing may be fetched then."""
        if self.missing(record, None, open_up_to):
            return Answer(self.sources[record.database].report(record, State.DENIED))
        if self.protection.is_withheld(record, self.caller, is_own_view(open_up_to)):
            return self.withheld(record)
        return None

    def withheld(self, record: Record) -> Answer:
        """Return the answer of a list that protection withholds."""
        return Answer(self.sources[record.database].report(record, State.WITHHELD))

    def protect_and_merge(
        self, record: Record, answers: Sequence[Answer], identification: Identification | None
    ) -> Answer:
        """Make one answer of those for several keys, without the rows that protection hides.

        If any key could not be asked, the whole list is unknown: rows under one number say nothing
        of those under another. Whatever the caller may not see decides nothing.
        """
        answer = merge_answers(record, answers)
        if answer.rows is None:
            return answer
        rows = self.protection.visible_rows(record, answer.rows, self.caller)
        report = answer.report
        if identification is not None:
            report = self.report_for_person(record.database, report, identification, bool(rows))
        return Answer(report, rows, answer.unreadable, answer.truncated)

    def report_for_person(
        self, database: str, report: SourceReport, identification: Identification, has_rows: bool
    ) -> SourceReport:
        """Return a report for a person of whom so much is known; those of a batch share theirs."""
        state = state_for(report.state, identification, has_rows)
        earlier_numbers_asked = _EARLIER_ASKED[identification]
        key = (report, state, earlier_numbers_asked)
        of_person = self.reports.get(key)
        if of_person is None:
            source = self.sources[database]
            of_person = source.report_for_person(report, state, earlier_numbers_asked)
            self.reports[key] = of_person
        return of_person

    def incomplete(self, record: Record, open_up_to: Sensitivity | None) -> Answer:
        """Return the answer of a list whose key is not recorded: nothing can be asked.

        What decides without asking comes first, as for every list.
        """
        decision = self.decide(record, open_up_to)
        if decision is not None:
            return decision
        source = self.sources[record.database]
        return source.certain_answer(record) or Answer(source.report(record, State.INCOMPLETE), ())

    def shortfall_reason(
        self, numbers: PersonNumbers, open_up_to: Sensitivity | None
    ) -> str | None:
        """Return the error code that says why lists of a person may lack rows; None: they do not.

        That a number is somebody else's too is told to those who may read earlier numbers.
        """
        identification = numbers.identification
        if identification.is_complete:
            return None
        if identification is Identification.NOT_IDENTIFIED:
            return "PERSON_NOT_IDENTIFIED"
        population = population_of(self.sources) if numbers.shared else None
        may_know = population is not None and not self.missing(
            population.earlier.record, None, open_up_to
        )
        return "NUMBER_SHARED" if may_know else "NUMBERS_INCOMPLETE"

    def may_list(self, open_up_to: Sensitivity | None) -> bool:
        """Say whether some list of a person is the caller's to see.

        A list that truthfully says "none" tells that the number is somebody's. So whoever may see
        one is told so, and nobody else. Costs a decision for each record, once a request.
        """
        may_list = self.listing.get(open_up_to)
        if may_list is None:
            may_list = self.listing[open_up_to] = any(
                self.decide(record, open_up_to) is None
                and not self.protection.opens_on_death(record)
                for source in self.sources.values()
                for record in source.database.records
                if any(
                    not (lookup.on or lookup.entry or lookup.hidden) for lookup in record.lookups
                )
            )
        return may_list

    def verify(
        self,
        numbers: PersonNumbers,
        claimed: ClaimedIdentity,
        verification: Verification,
        attempt: Attempt | None,
    ) -> tuple[IdentityVerification, Answer]:
        """Return what comes of a verification, and the answer that it rests on.

        ``attempt``: counted for it. Raises GatewayError VERIFICATION_LIMITED where it may not be
        made; who must not learn whether a number exists then learns that it is no match.
        """
        conceals = self.matching.required
        if attempt is not None and not (
            conceals and attempt.status is AttemptStatus.NONE_LEFT_OF_PERSON
        ):
            attempt.require_allowed(conceals)
        source = self.sources[verification.database]
        return compare_claim(numbers, claimed, verification, source, conceals, attempt)

    def refuse_early(self, number: str) -> None:
        """Refuse an attempt before anything is read; raises GatewayError VERIFICATION_LIMITED."""
        if self.attempts is not None:
            self.attempts.refuse_early(self.caller.client, self.caller.subject, number)

    def attempt(self, numbers: PersonNumbers) -> Attempt | None:
        """Return an attempt to match the person with ``numbers``, for ``count_attempt``.

        None where nothing can be compared: the population database did not answer.
        """
        if self.attempts is None or not is_comparable(numbers):
            return None
        person = numbers.present or numbers.requested
        return Attempt(self.caller.client, self.caller.subject, numbers.requested, person)

    @asynccontextmanager
    async def count_attempt(self, attempt: Attempt | None) -> AsyncIterator[None]:
        """Count an attempt while it is compared, and give it back if it was no guess."""
        if attempt is None or self.attempts is None:
            yield
            return
        async with self.attempts.count(attempt):
            yield

    def evidence_answer(self, record: Record, answers: Sequence[Answer]) -> Answer:
        """Make one answer of those for several keys, as derived views rest on it.

        Records of this kind may be withheld from the caller as a whole: the view is answered in
        their place. Single rows that protection hides are no part of anything.
        """
        answer = self.merge(record, answers)
        if not answer.rows:
            return answer
        rows = self.protection.visible_rows(record, answer.rows, self.caller)
        return Answer(answer.report, rows, answer.unreadable, answer.truncated)

    def merge(self, record: Record, answers: Sequence[Answer]) -> Answer:
        """Make one answer of those for several keys, as it is: for the gateway's own conclusions.

        Of no keys it is that there is nothing.
        """
        if not answers:
            return Answer(self.sources[record.database].report(record, State.ANSWERED), ())
        return merge_answers(record, answers)

    async def access_log(
        self, numbers: PersonNumbers, is_own_view: bool, arguments: LogArguments
    ) -> LogPage:
        """Return a page of a person's access log.

        ``own``: it is the citizen who asks, or for whom somebody asks. Somebody else's needs the
        auditor's scope and purpose: raises GatewayError FORBIDDEN.
        """
        if not is_own_view and (missing := self.caller.missing_for_access_log()):
            raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
        page = await self.log.page(
            numbers, arguments, is_own_view and self.caller.representative is not None
        )
        # There may be numbers under which more was read.
        state = state_for(page.state, numbers.identification, bool(page.items))
        items = page.items if page.items or state is State.ANSWERED else None
        return replace(page, state=state, items=items)

    async def interests(
        self, numbers: PersonNumbers, is_own_view: bool
    ) -> tuple[State, Sequence[PersonInterest] | None]:
        """Return the interests in a person, and in what state they were read.

        Null where they are not known. Raises GatewayError FORBIDDEN, as ``access_log`` does.
        """
        if not is_own_view and (missing := self.caller.missing_for_access_log()):
            raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
        hides = is_own_view and self.caller.representative is not None
        items = await self.log.interests(numbers, hides)
        if items is None:
            return State.UNAVAILABLE, None
        state = state_for(State.ANSWERED, numbers.identification, bool(items))
        return state, items if items or state is State.ANSWERED else None

    def problem_of_state(self, record: Record, state: State) -> GatewayError | None:
        """Return what to say in ``errors`` of a source in ``state``; None: nothing."""
        code = _PROBLEMS.get(state)
        if code is None:
            return None
        return GatewayError(code, details={"database": record.database, "record": record.name})

    def problem(self, record: Record, answer: Answer) -> GatewayError | None:
        """Return what to say in ``errors`` of a list with this answer (design section 6.1)."""
        state = answer.report.state
        if state is State.ANSWERED:
            return None
        code = "BAD_RECORD" if answer.unreadable else _PROBLEMS.get(state)
        if code is None:
            return None
        details: dict[str, object] = {"database": record.database, "record": record.name}
        if answer.unreadable:
            details["count"] = answer.unreadable
        if state is State.DENIED:
            details["missing"] = list(self.caller.missing_for(record, None))
        return GatewayError(code, details=details)


#: Whether a person's earlier numbers were asked for too, as a source report says it.
_EARLIER_ASKED = {
    Identification.IDENTIFIED: True,
    Identification.NOT_IDENTIFIED: True,
    Identification.UNDETERMINED: False,
    Identification.NOT_CHECKED: None,
}
