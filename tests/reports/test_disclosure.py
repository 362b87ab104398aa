from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reports.findings.disclosure import is_open, open_parts

K = 5


def test_a_count_is_closed_with_its_remainder() -> None:
    assert is_open(5, 10, K)
    assert is_open(8, 8, K)
    assert not is_open(4, 100, K)
    assert not is_open(8, 10, K)


def test_the_last_small_part_takes_another_with_it() -> None:
    parts = {"north": {f"n{i}" for i in range(9)}, "south": {f"s{i}" for i in range(6)}, "west": {"w1", "w2"}}
    assert open_parts(parts, set().union(*parts.values()), K) == ("north",)


@given(st.lists(st.integers(0, 12), max_size=6))
def test_disjoint_parts_never_leave_a_small_remainder(sizes: list[int]) -> None:
    parts = {f"p{i}": {f"{i}-{j}" for j in range(size)} for i, size in enumerate(sizes)}
    total = set().union(*parts.values()) if parts else set()
    shown = open_parts(parts, total, K)
    for n in range(1, len(shown) + 1):
        for some in combinations(shown, n):
            left = len(total) - sum(len(parts[name]) for name in some)
            assert left == 0 or left >= K
    assert all(len(parts[name]) >= K for name in shown)


@given(st.dictionaries(st.text(min_size=1, max_size=2), st.frozensets(st.integers(0, 25)), max_size=5))
def test_overlapping_parts_never_single_anybody_out(parts: dict[str, frozenset[int]]) -> None:
    named = {name: {str(member) for member in members} for name, members in parts.items()}
    total = {str(member) for member in range(26)}
    shown = open_parts(named, total, K)
    for name in shown:
        assert is_open(len(named[name]), len(total), K)
    if shown:
        left = len(total - set().union(*(named[name] for name in shown)))
        assert left == 0 or left >= K


@given(st.dictionaries(st.text(min_size=1, max_size=2), st.frozensets(st.integers(0, 25)), max_size=5))
def test_the_order_of_parts_does_not_matter(parts: dict[str, frozenset[int]]) -> None:
    named = {name: {str(member) for member in members} for name, members in parts.items()}
    total = set().union(*named.values()) if named else set()
    assert open_parts(named, total, K) == open_parts(dict(reversed(named.items())), total, K)
