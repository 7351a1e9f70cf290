"""The database of reconciliation: what the last national run found, and whether it was corrected.

``justice-gateway reconcile publish`` writes it (decision 79). A finding names the records that
contradict each other and never repeats what they say: each stays under the scopes and the
protection of its own database. That records contradict each other tells something of four databases
at once, so it is SENSITIVE though every column that a rule compares is BASIC.

Nor does it name the row: a keyed hash tells two rows apart, and no more. A row may have been
replaced since the run (after an adoption, say), and must not be found through what was said of it.
"""

from __future__ import annotations

from datetime import date, datetime

from connectors.declaration import PUBLIC, SENSITIVE, database, field, lookup, record
from connectors.description import Coded, Coverage, Group, Text
from connectors.values import PersonNumber

#: Rules of which a corrected finding is removed: that parents or sex in the book differed for a
#: time is what an adoption or a redetermination of sex leaves behind.
UNRECORDED_CORRECTIONS = frozenset({"PARENTS", "SEX"})


class FindingState(Coded):
    """How far the correction of a finding is."""

    OPEN = "chưa đề nghị chỉnh sửa", "no correction requested"
    REQUESTED = "đã đề nghị chỉnh sửa", "correction requested"
    CORRECTED = "đã thống nhất", "the registers agree"


class FindingSeverity(Coded):
    """How much hangs on a finding; the codes are those of ``Person.conflicts``."""

    HIGH = "nghiêm trọng", "high"
    MEDIUM = "trung bình", "medium"
    LOW = "thấp", "low"


class RuleCoverage(Coded):
    """For whom a run has checked a rule."""

    EVERYBODY = "đã kiểm tra với mọi người", "checked for everybody"
    NOT_EVERYBODY = "có người chưa kiểm tra được", "not checked for some people"
    NOBODY = "chưa kiểm tra", "not checked"


@record(
    ("Mâu thuẫn do đợt đối soát phát hiện", "Finding of a national run"),
    lookups=[
        lookup("findings", "Mâu thuẫn đã phát hiện", "Findings of the last run", by="citizen_id")
    ],
    identity="finding_id",
    date="first_found_on",
    status="state",
    sensitivity=SENSITIVE,
)
class ReconciliationFinding:
    """No value of any record: what each of them says is in ``Person.conflicts``."""

    finding_id: str = field("mã phát hiện", "Finding id", SENSITIVE)
    citizen_id: PersonNumber = field(
        "số định danh khi đối soát", "Person number at the time of the run", SENSITIVE
    )
    rule: str = field("mã quy tắc", "Code of the rule, as in Person.conflicts", SENSITIVE)
    severity: FindingSeverity | None = field("mức độ", "Severity", SENSITIVE)
    state: FindingState | None = field("tình trạng chỉnh sửa", "State of the correction", SENSITIVE)
    first_run: str = field("đợt phát hiện đầu tiên", "First run that found it", SENSITIVE)
    first_found_on: date | None = field("ngày phát hiện đầu tiên", "First found on", SENSITIVE)
    last_run: str = field("đợt phát hiện gần nhất", "Last run that found it", SENSITIVE)
    last_found_on: date | None = field("ngày phát hiện gần nhất", "Last found on", SENSITIVE)
    requested_at: datetime | None = field("thời điểm đề nghị", "Correction requested at", SENSITIVE)
    request_reference: str | None = field(
        "số văn bản đề nghị", "Reference of the request", SENSITIVE
    )
    corrected_on: date | None = field(
        "ngày đối soát không còn mâu thuẫn",
        "Day of the run that found the registers agree",
        SENSITIVE,
    )
    returns: int | None = field(
        "số lần tái diễn", "How often it came back once corrected", SENSITIVE
    )


@record(
    ("Bản ghi có mâu thuẫn", "Record that contradicts others"),
    lookups=[
        lookup(
            "finding_sides",
            "Các bản ghi mâu thuẫn",
            "Records that contradict each other",
            by="finding_id",
            on=("findings", "finding_id"),
        )
    ],
    identity="side_id",
    sensitivity=SENSITIVE,
)
class ReconciliationSide:
    side_id: str = field("mã bên", "Side id", SENSITIVE)
    finding_id: str = field("mã phát hiện", "Finding id", SENSITIVE)
    place: int | None = field("thứ tự", "Place among the sides, from 0", SENSITIVE)
    source_database: str = field("cơ sở dữ liệu nguồn", "Database of the record", SENSITIVE)
    source_record: str = field("loại bản ghi nguồn", "Kind of record", SENSITIVE)
    row_hash: str = field(
        "mã băm của bản ghi nguồn", "Keyed hash of the row, the same in each finding", SENSITIVE
    )
    prevails: bool | None = field("có giá trị hơn theo luật", "Prevails by law", SENSITIVE)


@record(
    ("Phạm vi kiểm tra của quy tắc", "What a run has checked of a rule"),
    lookups=[
        lookup(
            "rule_coverage",
            "Phạm vi kiểm tra của quy tắc",
            "What the last run has checked of a rule",
            by="rule",
            entry=("reconciliation_rule", "rule"),
        )
    ],
    identity="rule",
    single=True,
    limit=2,
)
class ReconciliationRule:
    """Of nobody in particular: what the absence of findings of this rule means."""

    rule: str = field("mã quy tắc", "Code of the rule", PUBLIC)
    run: str = field("đợt đối soát", "The last run", PUBLIC)
    run_on: date | None = field("ngày đối soát", "Legal day of the run", PUBLIC)
    coverage: RuleCoverage | None = field("đã kiểm tra với ai", "Checked for whom", PUBLIC)
    records_unread: tuple[str, ...] | None = field(
        "bản ghi chưa đọc được", "Records that the run could not read, or not wholly", PUBLIC
    )
    last_complete_run: str | None = field(
        "đợt gần nhất kiểm tra với mọi người", "Last run that checked it for everybody", PUBLIC
    )


DATABASE = database(
    "reconciliation",
    title=("Kết quả đối soát các cơ sở dữ liệu", "Findings of the National Run"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=("Luật Hộ tịch 60/2014/QH13, Điều 60", "Luật Dữ liệu 60/2024/QH15"),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text(
                "mâu thuẫn mà đợt đối soát gần nhất đã kiểm tra",
                "conflicts that the last run checked for",
            ),
        ),
        excludes=(
            Text(
                "quy tắc, người chưa kiểm tra được trong đợt đó (xem reconciliationRule)",
                "rules and people that the run could not check (see reconciliationRule)",
            ),
            Text("thay đổi sau đợt đối soát", "what has changed since the run"),
            Text(
                "mâu thuẫn đã hết về cha mẹ, giới tính",
                "corrected findings about parents and sex",
            ),
        ),
    ),
    records=[ReconciliationFinding, ReconciliationSide, ReconciliationRule],
)
