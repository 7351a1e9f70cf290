"""A memo keeps so many values and no more."""

from __future__ import annotations

from gateway.runtime.memo import Memo


def test_the_oldest_value_is_evicted_first() -> None:
    memo: Memo[str, int] = Memo(2)
    for place, name in enumerate("abc"):
        memo.keep(name, place)
    assert memo == {"b": 1, "c": 2}


def test_a_value_that_is_replaced_evicts_no_other() -> None:
    memo: Memo[str, int] = Memo(2)
    for name in "aab":
        memo.keep(name, 0)
    memo.keep("a", 1)
    assert memo == {"a": 1, "b": 0}
