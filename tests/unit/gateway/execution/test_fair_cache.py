"""The fair cache: bounded in number and weight, and fair to each client."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.execution.fair_cache import FairCache
from tests.support.generated import PATIENT


def _cache(max_count: int = 100, max_weight: int = 10_000) -> FairCache[str, str]:
    return FairCache(max_count, max_weight)


def test_what_is_kept_is_found_again() -> None:
    cache = _cache()
    cache.store("a", "A", 1, "x")
    assert cache.get("a") == "A"
    assert cache.get("b") is None


def test_the_least_used_goes_first() -> None:
    cache = _cache(max_count=3)
    for owner, key in enumerate("abc"):
        cache.store(key, key.upper(), 1, str(owner))
    cache.get("a")
    cache.store("d", "D", 1, "3")
    assert [cache.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_heavy_things_make_room_for_themselves() -> None:
    cache = _cache(max_weight=100)
    for owner in range(9):
        cache.store(f"light {owner}", "", 10, str(owner))
    cache.store("heavy", "", 60, "x")
    assert cache.weight <= 100
    assert cache.get("heavy") is not None
    assert cache.get("light 8") is not None
    assert cache.get("light 0") is None


def test_the_newest_stays_whatever_it_weighs() -> None:
    cache = _cache(max_weight=100)
    cache.store("light", "", 10, "x")
    cache.store("heaviest", "", 1_000, "y")
    assert len(cache) == 1
    cache.store("light", "", 10, "x")
    assert (len(cache), cache.weight) == (1, 10)


def test_a_client_with_ever_new_things_loses_its_own() -> None:
    cache = _cache(max_count=100)
    for number in range(60):
        cache.store(f"theirs {number}", "", 1, f"client {number}")
    for number in range(10_000):
        cache.store(f"scan {number}", "", 1, "scanner")
    assert all(cache.get(f"theirs {number}") is not None for number in range(60))
    assert len(cache) == 85, "a quarter of the room, and what the others had"


def test_a_client_with_ever_heavier_things_loses_its_own() -> None:
    cache = _cache(max_weight=1_000)
    cache.store("theirs", "", 500, "client")
    for number in range(100):
        cache.store(f"scan {number}", "", 100, "scanner")
    assert cache.get("theirs") is not None
    assert cache.weight == 700


def test_something_kept_again_weighs_what_it_weighs_now() -> None:
    cache = _cache()
    cache.store("a", "A", 10, "x")
    cache.store("a", "B", 3, "y")
    assert (cache.get("a"), cache.weight, len(cache)) == ("B", 3, 1)


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
    cache: FairCache[int, int] = FairCache(8, 100)
    weights: dict[int, int] = {}
    for stores, key, weight, owner in steps:
        if stores:
            cache.store(key, key, weight, owner)
            weights[key] = weight
            assert cache.get(key) == key
        present = [number for number in range(31) if cache.get(number) is not None]
        assert len(present) == len(cache) <= 8
        assert sum(weights[key] for key in present) == cache.weight
        assert cache.weight <= 100 or len(cache) == 1
