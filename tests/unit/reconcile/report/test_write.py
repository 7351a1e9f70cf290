"""The summary and the report of a run: what they say, and what they never say.

Covers ``reconcile.report.summary``, ``reconcile.report.completeness``,
``reconcile.report.terminal`` and ``reconcile.report.phrases``.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from connectors.registry import installed_databases
from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress
from reconcile.report.counts import write_counts
from reconcile.report.figures import ReportFigures
from reconcile.report.needs import MEASURES
from reconcile.report.terminal import print_summary
from reconcile.report.write import OtherHashKey, write_report
from rules.registry import RULES
from tests.support.report_runs import (
    SETTINGS,
    PlantedFinding,
    RunBuilder,
    draw_births,
    draw_findings,
    draw_rows,
    unreadable,
)

COMPLETE = ExtractProgress(parts=1, rows=100, complete=True)
DEATHS, MARRIAGES = "civil_status.deaths", "civil_status.marriages"
NUMBER = "001087000001"
#: Digits that could be a number of a person or part of a keyed hash.
_PERSONAL = re.compile(r"[0-9]{9}|[0-9a-f]{32}")


def finish(
    builder: RunBuilder, run: RunFolder, *unchecked: UncheckedCase
) -> tuple[ReportFigures, dict[str, Any], str]:
    write_counts(builder.folder, run, RULES, unchecked, SETTINGS)
    figures = write_report(builder.folder, run, RULES, installed_databases())
    return figures, json.loads(run.summary.read_text("utf-8")), run.report.read_text("utf-8")


def terminal_text(figures: ReportFigures) -> str:
    stream = io.StringIO()
    print_summary(figures, Console(file=stream, width=200))
    return stream.getvalue()


@pytest.fixture
def builder(tmp_path: Path) -> RunBuilder:
    return RunBuilder.at(tmp_path)


def test_a_summary_has_the_keys_that_are_documented(builder: RunBuilder) -> None:
    rng = Random(1)
    builder.extracts = {record: draw_rows(rng, record, 120) for record in MEASURES}
    finish(builder, builder.add(draw_findings(rng, 300)))
    _, summary, _ = finish(builder, builder.add(draw_findings(rng, 300, 50)))
    page = Path("docs/reference/reconcile-report.md").read_text("utf-8")
    for name in (*summary, *summary["findings"], *summary["comparison"], *summary["rules"][0]):
        assert f"`{name}`" in page, name
    assert summary["version"] == 1
    assert summary["comparison"]["state"] == "COMPARED"
    assert len(summary["rules"]) == len(RULES)


def test_nothing_of_a_person_leaves_the_folder(builder: RunBuilder) -> None:
    rng = Random(1)
    builder.extracts = {record: draw_rows(rng, record, 120) for record in MEASURES}
    failed = ExtractProgress(parts=1, rows=50, failure=f"bad row {NUMBER}")
    run = builder.add(draw_findings(rng, 300), {MARRIAGES: failed})
    figures, summary, page = finish(builder, run)
    policy = re.compile(r"sha256-[^']*'")
    for text in (json.dumps(summary), policy.sub("", page), terminal_text(figures)):
        assert not _PERSONAL.search(text)
    assert "bad row …" in page
    for file in (run.summary, run.report):
        assert file.stat().st_mode & 0o777 == 0o600


def test_small_counts_are_hidden_wherever_they_stand(builder: RunBuilder) -> None:
    findings = [PlantedFinding("SEX", number) for number in range(7)]
    figures, summary, page = finish(builder, builder.add(findings))
    counts = re.findall(r'"count": ([0-9]+)', json.dumps(summary))
    assert all(int(count) % 5 == 0 and int(count) >= 10 for count in counts)
    assert summary["findings"]["total"] == {"state": "HIDDEN", "count": None}
    assert "<dd>7</dd>" not in page
    assert "findings: hidden" in terminal_text(figures)


def test_what_was_not_checked_is_said_first_and_is_never_none(builder: RunBuilder) -> None:
    run = builder.add([PlantedFinding("SEX", number) for number in range(30)], {MARRIAGES: None})
    figures, summary, page = finish(builder, run)
    rules = {rule["rule"]: rule for rule in summary["rules"]}
    assert rules["SELF_MARRIAGE"]["checked_for"] == "NOBODY"
    assert rules["SELF_MARRIAGE"]["findings"] == {"state": "NOT_CHECKED", "count": None}
    reason = {"record": MARRIAGES, "reason": "NOT_EXTRACTED"}
    assert rules["SELF_MARRIAGE"]["unchecked"][0]["reasons"] == [reason]
    assert rules["SEX"]["unchecked"] == []
    assert "Có phần chưa kiểm tra được" in page
    assert page.index("Có phần chưa kiểm tra được") < page.index('id="s2"')
    assert page.count('class="caution"') == 5
    (record,) = (each for each in summary["records"] if each["record"] == "marriages")
    assert (record["state"], record["rows"]["state"]) == ("NOT_EXTRACTED", "NOT_CHECKED")
    text = terminal_text(figures)
    assert re.search(r"SELF_MARRIAGE .* not checked for anybody .* not checked ", text)


def test_a_run_that_checked_everything_says_so(builder: RunBuilder) -> None:
    _, summary, page = finish(builder, builder.add([]))
    assert {rule["checked_for"] for rule in summary["rules"]} == {"EVERYBODY"}
    assert "Mọi quy tắc đã được kiểm tra với mọi người" in page
    assert 'class="caution"' not in page
    # That none was found is not said: whoever is below ten may be one.
    assert {rule["findings"]["state"] for rule in summary["rules"]} == {"HIDDEN"}


def test_a_source_that_failed_is_said_though_every_rule_could_be_checked(
    builder: RunBuilder,
) -> None:
    failed = ExtractProgress(parts=1, rows=50, failure="it went away")
    _, _, page = finish(builder, builder.add([], {"population.residences": failed}))
    assert "Mọi quy tắc đã được kiểm tra với mọi người" not in page


@pytest.mark.parametrize(("values", "said"), [(4, "có, dưới 10"), (40, ": 40")])
def test_values_that_cannot_be_read_are_said(values: int, said: str, builder: RunBuilder) -> None:
    run = builder.add([], {DEATHS: unreadable(COMPLETE, death_date=values)})
    _, summary, page = finish(builder, run)
    (record,) = (each for each in summary["records"] if each["record"] == "deaths")
    (column,) = record["unreadable"]
    assert (column["column"], column["count"]) == ("death_date", None if values < 10 else 40)
    assert said in page


def test_people_whom_a_case_was_not_checked_for_are_counted(builder: RunBuilder) -> None:
    unchecked = [
        UncheckedCase(0, UncheckedReason.UNREADABLE, 3),
        UncheckedCase(1, UncheckedReason.UNREADABLE, 1000),
    ]
    _, summary, page = finish(builder, builder.add([]), *unchecked)
    (rule,) = (each for each in summary["rules"] if each["unchecked"])
    assert [case["people"]["count"] for case in rule["unchecked"]] == [None, 1000]
    assert "1\u202f000" in page


def test_gone_is_only_what_was_checked_again(builder: RunBuilder) -> None:
    findings = [PlantedFinding("SELF_MARRIAGE", number) for number in range(50)]
    finish(builder, builder.add(findings))
    figures, summary, _ = finish(builder, builder.add([], {MARRIAGES: None}))
    (rule,) = (each for each in summary["comparison"]["by_rule"] if each["rule"] == "SELF_MARRIAGE")
    assert rule["gone"] == {"state": "NOT_CHECKED", "count": None}
    assert rule["unchecked_now"]["count"] == 50
    assert rule["earlier"]["count"] == 50
    assert "not checked this time" in terminal_text(figures)


def test_what_the_last_report_hides_stays_hidden(builder: RunBuilder) -> None:
    finish(builder, builder.add([PlantedFinding("SEX", number) for number in range(4)]))
    _, summary, _ = finish(
        builder, builder.add([PlantedFinding("SEX", number) for number in range(4, 60)])
    )
    (rule,) = (each for each in summary["comparison"]["by_rule"] if each["rule"] == "SEX")
    assert rule["earlier"] == {"state": "HIDDEN", "count": None}
    assert rule["gone"]["state"] == "HIDDEN"


def test_without_the_last_summary_all_of_it_is_hidden(builder: RunBuilder) -> None:
    first = builder.add([PlantedFinding("SEX", number) for number in range(50)])
    finish(builder, first)
    first.summary.unlink()
    _, summary, _ = finish(builder, builder.add([]))
    assert summary["comparison"]["state"] == "COMPARED"
    assert summary["comparison"]["earlier_total"]["count"] is None
    assert {each["earlier"]["count"] for each in summary["comparison"]["by_rule"]} == {None}


def test_a_last_summary_that_was_changed_is_not_believed(builder: RunBuilder) -> None:
    first = builder.add([PlantedFinding("SEX", number) for number in range(50)])
    finish(builder, first)
    first.summary.write_text(first.summary.read_text("utf-8").replace(": 50", ": 1000"))
    _, summary, _ = finish(builder, builder.add([]))
    assert summary["comparison"]["earlier_total"]["count"] is None


def test_completeness_says_what_it_rests_on(builder: RunBuilder) -> None:
    births = "civil_status.births"
    builder.extracts = {("civil_status", "births"): draw_births(Random(1), 300)}
    progress = {
        births: unreadable(COMPLETE, mother_name=1),
        DEATHS: None,
        MARRIAGES: ExtractProgress(complete=True),
    }
    _, summary, page = finish(builder, builder.add([], progress))
    measures = {(each["record"], each["measure"]): each for each in summary["completeness"]}
    named = measures["births", "parents.named.both"]
    assert (named["has_unreadable"], named["is_partial"]) == (True, False)
    assert "ở đây chúng được tính là không ghi" in page
    late = measures["deaths", "term.late"]
    assert (late["state"], late["is_partial"]) == ("NOT_CHECKED", True)
    # An empty record was read: it hides that there is none, and does not say "not checked".
    assert measures["marriages", "records.numbered"]["state"] == "HIDDEN"


def test_names_from_data_are_escaped(builder: RunBuilder) -> None:
    attack = "<script>alert(1)</script>"
    failed = ExtractProgress(parts=1, rows=50, failure=attack)
    run = builder.add([], {DEATHS: failed})
    _, _, page = finish(builder, run)
    assert attack not in page
    assert "&lt;script&gt;" in page


def test_another_key_rounds_no_report_again(builder: RunBuilder) -> None:
    run = builder.add([])
    finish(builder, run)
    builder.folder.hash_key.write_bytes(b"x" * 32)
    with pytest.raises(OtherHashKey):
        write_report(builder.folder, run, RULES, installed_databases())
