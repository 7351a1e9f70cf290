"""The form of a procedure's check: derived from the input that the check declares.

What is typed is sent to the gateway as it stands. Only the gateway decides what is valid; this
module says afterwards which field a refusal is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coded, Text
from connectors.values import PersonNumber, person_number
from gateway.errors import CODES, GatewayError
from gateway.pages.phrases.frame import FRAME

#: The fields of every form, beside those of the input: their names are no paths of an input.
TOKEN, CASE_NUMBER, DAY = "form-token", "case-number", "at"
_BODY_BYTES, _MOST_FIELDS = 64 * 1024, 500
_MEDIA_TYPE = "application/x-www-form-urlencoded"
#: Groups of fields that a list of them has room for, beyond those that are filled in.
_SPARE_GROUPS = 2
_MOST_GROUPS = 10


class Control(Enum):
    """How a field is filled in. The value names its macro in ``templates/form.html``."""

    PERSON = "person"
    PEOPLE = "people"
    TEXT = "text"
    LINES = "lines"
    DAY = "day"
    AMOUNT = "amount"
    CHOICE = "choice"
    YES_NO = "yes_no"
    GROUP = "group"
    GROUPS = "groups"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form. ``name``: in the form; ``inner``: of a group; ``options``: a choice.

    ``key``: in the input; None: the name in camel case. ``note``: what else is to be known.
    """

    name: str
    title: Text
    control: Control
    is_required: bool
    options: tuple[tuple[str, Text], ...] = ()
    inner: tuple[FormField, ...] = ()
    key: str | None = None
    note: str = ""

    @property
    def is_role(self) -> bool:
        """Whether it names people."""
        return self.control in {Control.PERSON, Control.PEOPLE}


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field as the page shows it. ``path``: its name in the form. ``fault``: what is wrong."""

    path: str
    declared: FormField
    value: str = ""
    fault: Text | None = None
    groups: tuple[tuple[ShownField, ...], ...] = field(default=())


@cache
def fields_of(declared: type) -> tuple[FormField, ...]:
    """Return the fields of an input, a dataclass as checks declare it."""
    hints = get_type_hints(declared, include_extras=True)
    return tuple(
        _field(attribute.name, *get_args(hints[attribute.name])[:2])
        for attribute in fields(declared)
    )


def _field(name: str, kind: Any, title: Text) -> FormField:
    is_required = type(None) not in get_args(kind)
    if not is_required:
        (kind,) = (member for member in get_args(kind) if member is not type(None))
    is_list = get_origin(kind) in {list, tuple}
    kind = get_args(kind)[0] if is_list else kind
    if kind is PersonNumber:
        control = Control.PEOPLE if is_list else Control.PERSON
        return FormField(name, title, control, is_required)
    if isinstance(kind, type) and is_dataclass(kind):
        control = Control.GROUPS if is_list else Control.GROUP
        return FormField(name, title, control, is_required, inner=fields_of(kind))
    if is_list:
        return FormField(name, title, Control.LINES, is_required)
    if isinstance(kind, type) and issubclass(kind, Coded):
        options = tuple((member.name, member.title) for member in kind)
        return FormField(name, title, Control.CHOICE, is_required, options)
    simple = {date: Control.DAY, bool: Control.YES_NO, Decimal: Control.AMOUNT, int: Control.AMOUNT}
    return FormField(name, title, simple.get(kind, Control.TEXT), is_required)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of the form that is sent, the last of each name.

    Raises GatewayError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE or BAD_REQUEST, and ClientDisconnect.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        message = f"a form must be sent as {_MEDIA_TYPE}"
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", message)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_BYTES:
                raise GatewayError("BODY_TOO_LARGE", details={"limit": _BODY_BYTES})
    except ClientDisconnect:
        raise
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:  # UnicodeDecodeError is one
        raise GatewayError("BAD_REQUEST", "the form must be UTF-8, with few fields") from None
    return {name: value.replace("\r\n", "\n").strip() for name, value in pairs}


def input_values(declared: type, sent: Mapping[str, str]) -> dict[str, object]:
    """Return what is typed as an input object of the schema; what is empty is left out."""
    return field_values(fields_of(declared), sent)


def field_values(
    declared: tuple[FormField, ...], sent: Mapping[str, str], above: str = ""
) -> dict[str, object]:
    """Return what is typed in fields, by their keys; ``above``: what their names begin with."""
    return dict(_values(declared, sent, above))


def _values(
    declared: tuple[FormField, ...], sent: Mapping[str, str], above: str
) -> Iterator[tuple[str, object]]:
    for form_field in declared:
        path, name = f"{above}{form_field.name}", form_field.key or to_camel_case(form_field.name)
        if form_field.control is Control.GROUP:
            values = dict(_values(form_field.inner, sent, f"{path}."))
            if values or form_field.is_required:
                yield name, values
        elif form_field.control is Control.GROUPS:
            filled = [
                dict(_values(form_field.inner, sent, f"{path}.{n}.")) for n in range(_MOST_GROUPS)
            ]
            groups = [values for values in filled if values]
            if groups or form_field.is_required:
                yield name, groups
        elif sent.get(path) or (form_field.control is Control.PEOPLE and form_field.is_required):
            yield name, _value(form_field.control, sent.get(path, ""))


def _value(control: Control, text: str) -> object:
    match control:
        case Control.PERSON:
            return re.sub(r"\s", "", text)  # people copy the groups of digits that a card shows
        case Control.PEOPLE:
            lines = (re.sub(r"\s", "", line) for line in re.split(r"[\n,;]", text))
            return [line for line in lines if line]
        case Control.LINES:
            return [line.strip() for line in text.split("\n") if line.strip()]
        case Control.AMOUNT:
            return int(text) if text.isascii() and text.isdigit() else text
        case Control.YES_NO:
            return {"yes": True, "no": False}.get(text, text)
        case _:
            return _json(text) if control is Control.JSON else text


def _json(text: str) -> object:
    """Return a value typed as JSON; what is none stays text, which the gateway refuses."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def shown_fields(
    declared: type, sent: Mapping[str, str], *, with_faults: bool = False
) -> tuple[ShownField, ...]:
    """Return the fields of a form with what was typed in them.

    ``with_faults``: say of each what is wrong with it, after the gateway refused the whole.
    """
    return show_fields(fields_of(declared), sent, with_faults=with_faults)


def show_fields(
    declared: tuple[FormField, ...],
    sent: Mapping[str, str],
    above: str = "",
    *,
    with_faults: bool = False,
) -> tuple[ShownField, ...]:
    """Return fields as ``shown_fields`` does; ``above``: what their names begin with."""
    return tuple(_shown(form_field, sent, above, with_faults) for form_field in declared)


def _shown(
    form_field: FormField, sent: Mapping[str, str], above: str, with_faults: bool
) -> ShownField:
    path = f"{above}{form_field.name}"
    shown = ShownField(path, form_field, sent.get(path, ""))
    if form_field.control is Control.GROUP:
        counts = with_faults and (
            form_field.is_required or any(_values(form_field.inner, sent, f"{path}."))
        )
        inner = tuple(_shown(field, sent, f"{path}.", counts) for field in form_field.inner)
        return replace(shown, groups=(inner,))
    if form_field.control is Control.GROUPS:
        filled = [
            number
            for number in range(_MOST_GROUPS)
            if dict(_values(form_field.inner, sent, f"{path}.{number}."))
        ]
        last = max(filled, default=-1)
        groups = tuple(
            tuple(
                _shown(field, sent, f"{path}.{number}.", with_faults and number in filled)
                for field in form_field.inner
            )
            for number in range(min(last + 1 + _SPARE_GROUPS, _MOST_GROUPS))
        )
        return replace(shown, groups=groups)
    return replace(shown, fault=_fault(form_field, shown.value)) if with_faults else shown


def _fault(form_field: FormField, value: str) -> Text | None:
    """Return what is wrong with a value, as far as one can see here."""
    if not value:
        return FRAME["fill_in"] if form_field.is_required else None
    sent = _value(form_field.control, value)
    if form_field.is_role:
        numbers = sent if isinstance(sent, list) else [sent]
        return None if all(map(_is_number, numbers)) else _sentence("INVALID_PERSON_NUMBER")
    if form_field.control is Control.DAY and not is_day(value):
        return FRAME["bad_date"]
    if form_field.control is Control.AMOUNT and not _is_amount(value):
        return FRAME["bad_amount"]
    if form_field.control is Control.CHOICE and value not in dict(form_field.options):
        return _sentence("INVALID_VALUE")
    return None


def _sentence(code: str) -> Text:
    return Text(CODES[code].vi, CODES[code].en)


def _is_number(text: object) -> bool:
    try:
        person_number(str(text))
    except ValueError:
        return False
    return True


def is_day(text: str) -> bool:
    """Say whether ``text`` is a date as forms send it (ISO 8601)."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-11-30")


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
