"""A CloudEvent is as the specification says (CloudEvents 1.0.2 and its JSON format)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime

import orjson
import pytest

from gateway.changes.cloud_events import cloud_event
from gateway.changes.event import SOURCE_KINDS, LifeEvent, LifeEventKind
from tests.support.life_events import DETECTED, life_event
from tests.support.people import HOA

#: Section 3.1.1, naming of attributes.
_NAME = re.compile(r"[a-z0-9]{1,20}")
#: RFC 3339, section 5.6; RFC 3986, a relative reference with an absolute path; RFC 2046.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_SOURCE = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")


def an_event(kind: LifeEventKind) -> LifeEvent:
    event = life_event(kind)
    if kind in SOURCE_KINDS:
        about = replace(event, person=None, record=None, row=None, date=None)
        return replace(about, committed_at=None, since=DETECTED)
    return event


@pytest.mark.parametrize("kind", LifeEventKind, ids=lambda kind: kind.name)
def test_attributes_are_those_of_the_specification_and_name_nobody(kind: LifeEventKind) -> None:
    event = an_event(kind)
    attributes = json.loads(orjson.dumps(cloud_event(event, HOA)))
    data = attributes.pop("data")
    assert all(_NAME.fullmatch(name) and isinstance(text, str) for name, text in attributes.items())
    assert attributes["specversion"] == "1.0"
    assert attributes["id"] == event.id
    assert _SOURCE.fullmatch(attributes["source"])
    assert re.fullmatch(r"vn\.gov\.moj\.[a-z.-]+", attributes["type"])
    assert _TIME.fullmatch(attributes["time"])
    assert _MEDIA_TYPE.fullmatch(attributes["datacontenttype"])
    assert HOA not in json.dumps(attributes)
    assert data["person"] == (None if kind in SOURCE_KINDS else HOA)


def test_the_person_is_the_one_that_the_reader_knows_and_the_row_stays_inside() -> None:
    event = replace(life_event(), person="012345678")
    data = cloud_event(event, HOA)["data"]
    assert isinstance(data, dict)
    assert data["person"] == HOA
    assert "row" not in data
    assert datetime.fromisoformat(str(data["committedAt"])) == event.committed_at
