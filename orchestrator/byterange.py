"""One range of bytes, as RFC 9110 writes it. Pure."""

import re

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE | re.ASCII)


class Unsatisfiable(Exception):
    """The range lies outside."""


def span_of(header: str, size: int) -> tuple[int, int] | None:
    """Give where the range begins and ends (not included); None: all of it is to be sent.

    What is no single range of bytes is left aside, as the RFC allows. Raises Unsatisfiable.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:  # the last so many
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if start >= end or start >= size:
        raise Unsatisfiable(header)
    return start, end
