"""Small cells stay closed: no figure under k voices, nor one that a total would give away."""

from __future__ import annotations

from collections.abc import Mapping, Set


def is_open(count: int, total: int, k: int) -> bool:
    """Return whether `count` of `total` may be shown: k or more, and nobody, or k or more, left over."""
    return count >= k and (total == count or total - count >= k)


def open_parts(parts: Mapping[str, Set[str]], total: Set[str], k: int) -> tuple[str, ...]:
    """Return the parts that may be shown beside their total, the largest first.

    Each part must be open by itself, and what the shown parts leave over (counted as people and as a subtraction of
    the figures) must be nobody or k or more; until it is, the smallest part is closed too.
    """
    shown = sorted(
        (name for name, members in parts.items() if is_open(len(members & total), len(total), k)),
        key=lambda name: (-len(parts[name] & total), name),
    )
    while shown:
        members = [parts[name] & total for name in shown]
        people = len(total) - len(set().union(*members))
        subtraction = len(total) - sum(map(len, members))
        if not 0 < people < k and not 0 < subtraction < k:
            break
        shown.pop()
    return tuple(shown)
