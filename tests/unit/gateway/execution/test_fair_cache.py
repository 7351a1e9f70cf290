"""What is kept: bounded in number and weight, and no client pushes out the others'."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.execution.fair_cache import FairCache
from tests.support.generated import PATIENT


def _cache(max_count: int = 100, max_weight: int = 10_000) -> FairCache[str, str]:
    return FairCache(max_count, max_weight)


def test_what_is_kept_is_found_again() -> None:
    kept = _cache()
    kept.store("a", "A", 1, "x")
    assert kept.get("a") == "A"
    assert kept.get("b") is None


def test_the_least_used_goes_first() -> None:
    kept = _cache(max_count=3)
    for owner, key in enumerate("abc"):
        kept.store(key, key.upper(), 1, str(owner))
    kept.get("a")
    kept.store("d", "D", 1, "3")
    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_heavy_things_make_room_for_themselves() -> None:
    kept = _cache(max_weight=100)
    for owner in range(9):
        kept.store(f"light {owner}", "", 10, str(owner))
    kept.store("heavy", "", 60, "x")
    assert kept.weight <= 100
    assert kept.get("heavy") is not None
    assert kept.get("light 8") is not None
    assert kept.get("light 0") is None


def test_the_newest_stays_whatever_it_weighs() -> None:
    kept = _cache(max_weight=100)
    kept.store("light", "", 10, "x")
    kept.store("heaviest", "", 1_000, "y")
    assert len(kept) == 1
    kept.store("light", "", 10, "x")
    assert (len(kept), kept.weight) == (1, 10)


def test_a_client_with_ever_new_things_loses_its_own() -> None:
    kept = _cache(max_count=100)
    for number in range(60):
        kept.store(f"theirs {number}", "", 1, f"client {number}")
    for number in range(10_000):
        kept.store(f"scan {number}", "", 1, "scanner")
    assert all(kept.get(f"theirs {number}") is not None for number in range(60))
    assert len(kept) == 85, "a quarter of the room, and what the others had"


def test_a_client_with_ever_heavier_things_loses_its_own() -> None:
    kept = _cache(max_weight=1_000)
    kept.store("theirs", "", 500, "client")
    for number in range(100):
        kept.store(f"scan {number}", "", 100, "scanner")
    assert kept.get("theirs") is not None
    assert kept.weight == 700


def test_something_kept_again_weighs_what_it_weighs_now() -> None:
    kept = _cache()
    kept.store("a", "A", 10, "x")
    kept.store("a", "B", 3, "y")
    assert (kept.get("a"), kept.weight, len(kept)) == ("B", 3, 1)


@PATIENT
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(0, 30), st.integers(0, 40), st.sampled_from([None, *"xyz"])
        ),
        max_size=200,
    )
)
def test_the_bounds_hold_and_the_weight_is_that_of_what_is_there(
    steps: list[tuple[bool, int, int, str | None]],
) -> None:
    kept: FairCache[int, int] = FairCache(8, 100)
    weights: dict[int, int] = {}
    for keeps, key, weight, owner in steps:
        if keeps:
            kept.store(key, key, weight, owner)
            weights[key] = weight
            assert kept.get(key) == key
        there = [one for one in range(31) if kept.get(one) is not None]
        assert len(there) == len(kept) <= 8
        assert sum(weights[one] for one in there) == kept.weight
        assert kept.weight <= 100 or len(kept) == 1
