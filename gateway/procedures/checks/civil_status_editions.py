"""What procedures of civil status have in common, by the law in force on a day.

Law on Civil Status 60/2014/QH13, from 1 January 2016: the commune registers, from papers. Decision
3458/QĐ-BTP of 10 December 2025: data of the civil status books replace their papers. Law on Civil
Status of 2026, from 1 March 2027 (domain.md 0 and 4): data have the value of paper, no paper may be
asked for where the data are there, and what has no period of its own is settled within 24 hours.

The articles of the Law of 2014 on how long a registration takes are not in the project's sources:
an assumption. So is that the 24 hours of 2026 take the place of the periods of Decree 123/2015.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connectors.description import Text
from gateway.procedures.checks.definition import Deadline, Edition, Paper, TimeUnit
from gateway.procedures.checks.rule import Condition

LAW_2014_SINCE = date(2016, 1, 1)
DATA_REPLACE_PAPERS_SINCE = date(2025, 12, 10)
LAW_2026_SINCE = date(2027, 3, 1)
LAW_2014 = "Luật Hộ tịch 60/2014/QH13"
LAW_2026 = "Luật Hộ tịch (sửa đổi) năm 2026"
DECISION_3458 = "Quyết định 3458/QĐ-BTP"

COMMUNE = Text(
    "Ủy ban nhân dân cấp xã; ở nước ngoài: cơ quan đại diện Việt Nam",
    "The commune People's Committee; abroad: the Vietnamese mission",
)
#: A registration is made at once; what comes after 15:00, on the next working day.
AT_ONCE = Deadline(
    0,
    TimeUnit.DAYS,
    Text(
        "Luật Hộ tịch 60/2014/QH13, Điều 5 khoản 2: ngay trong ngày; nhận hồ sơ sau 15 giờ thì "
        "ngày làm việc tiếp theo",
        "Law on Civil Status 60/2014, Art. 5(2): on the same day; on the next working day for what "
        "is received after 15:00",
    ),
)
WITHIN_24_HOURS = Deadline(
    24,
    TimeUnit.HOURS,
    Text("Luật Hộ tịch (sửa đổi) năm 2026", "Law on Civil Status of 2026"),
)
APPLICATION_FORM = Paper("APPLICATION_FORM", Text("tờ khai theo mẫu", "application form"))


def identity_paper(role: str, label: Text) -> Paper:
    """Return the identity paper of whoever stands in ``role``, if anybody does.

    The data of the population database replace it. ``label``: the role in both languages.
    """
    title = Text(f"giấy tờ tùy thân của {label.vi}", f"identity paper of {label.en}")
    code = role.upper()
    return Paper(
        f"{code}_IDENTITY_PAPER",
        title,
        ("population.identity",),
        (f"{code}_IDENTIFIED",),
        lambda case: case.has(role),
    )


def civil_status_editions(
    articles: str,
    *,
    other_laws: tuple[str, ...] = (),
    competent_body: Text = COMMUNE,
    deadline: Deadline = AT_ONCE,
    conditions: tuple[Condition, ...],
    papers: tuple[Paper, ...],
) -> tuple[Edition, ...]:
    """Return the editions of a procedure of civil status, the earliest first.

    ``articles``: of the Law of 2014. ``other_laws``: other instruments. ``deadline``: under the Law
    of 2014. ``papers``: with the records that replace them since Decision 3458.
    """
    on_paper = tuple(replace(paper, replaced_by=(), proves=()) for paper in papers)
    law_2014 = (f"{LAW_2014}, {articles}", *other_laws)
    return (
        Edition(LAW_2014_SINCE, law_2014, competent_body, deadline, conditions, on_paper),
        Edition(
            DATA_REPLACE_PAPERS_SINCE,
            (*law_2014, DECISION_3458),
            competent_body,
            deadline,
            conditions,
            papers,
        ),
        Edition(
            LAW_2026_SINCE,
            (LAW_2026, *other_laws, DECISION_3458),
            competent_body,
            WITHIN_24_HOURS,
            conditions,
            papers,
        ),
    )
