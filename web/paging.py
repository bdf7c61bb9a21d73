"""Lists in parts: the cursor is the key of the last item shown, so that nothing slips between."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from web.shapes import Page, Paging

T = TypeVar("T")


def page(items: Sequence[T], asked: Paging, key: Callable[[T], str]) -> Page[T]:
    """Give the part of `items` that follows `asked.after`, in the order of their keys."""
    ordered = sorted(items, key=key)
    begin = bisect_right([key(item) for item in ordered], asked.after) if asked.after else 0
    shown = ordered[begin : begin + asked.limit]
    more = begin + asked.limit < len(ordered)
    return Page(items=tuple(shown), next=key(shown[-1]) if more else None)
