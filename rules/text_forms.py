"""Forms of text in which equal meaning is equal text, written as steps that Python and SQL share.

A form is a list of steps; each is one function that SQL engines have (``translate``, ``replace``,
``trim``, ``substr``, ``split_part``, ``||``, CASE), so that PostgreSQL, DuckDB and Spark compute
what Python computes. Nothing here needs Unicode normalisation in the engine, which most lack: the
letters with their marks are finite, and stand in the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Translate:
    """Replaces each character of ``source`` by that of ``target`` in its place.

    Characters of ``source`` beyond the end of ``target`` are removed.
    """

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Replaces every occurrence of ``old``, from the left, without looking at the result again."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Trim:
    """Removes blanks at both ends."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """Puts text before and behind."""

    before: str
    behind: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Takes ``length`` signs from place ``start`` on, counted from 1; fewer where there are."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Substitute:
    """Puts for the whole text what the pairs have for it; other text stays."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LastPart:
    """Takes what is behind the last ``separator``; the whole text where there is none."""

    separator: str


Step = Translate | Replace | Trim | Wrap | Slice | Substitute | LastPart


@dataclass(frozen=True, slots=True)
class TextForm:
    """A named form: the steps, applied to the text or, if there is one, to the form ``base``."""

    name: str
    steps: tuple[Step, ...]
    base: TextForm | None = None


def form(name: str, *steps: Step | Sequence[Step], base: TextForm | None = None) -> TextForm:
    """Return the form made of these steps, in this order; sequences of steps are opened."""
    flat: list[Step] = []
    for step in steps:
        if isinstance(step, Step):
            flat.append(step)
        else:
            flat += step
    return TextForm(name, tuple(flat), base)


def text_function(text_form: TextForm) -> Callable[[str], str]:
    """Return the Python function of a form; some microseconds a call."""
    functions = [_step_function(step) for step in text_form.steps]
    if text_form.base is not None:
        functions.insert(0, text_function(text_form.base))

    def apply(text: str) -> str:
        for function in functions:
            text = function(text)
        return text

    return apply


def _step_function(step: Step) -> Callable[[str], str]:
    match step:
        case Translate(source, target):
            table = {
                ord(sign): target[place] if place < len(target) else None
                for place, sign in reversed(list(enumerate(source)))
            }
            return lambda text: text.translate(table)
        case Replace(old, new):
            return lambda text: text.replace(old, new)
        case Trim():
            return lambda text: text.strip(" ")
        case Wrap(before, behind):
            return lambda text: f"{before}{text}{behind}"
        case _:
            return _part_function(step)


def _part_function(step: Slice | Substitute | LastPart) -> Callable[[str], str]:
    match step:
        case Slice(start, length):
            return lambda text: text[start - 1 : start - 1 + length]
        case Substitute(pairs):
            texts = dict(pairs)
            return lambda text: texts.get(text, text)
        case LastPart(separator):
            return lambda text: text.rsplit(separator, 1)[-1]
