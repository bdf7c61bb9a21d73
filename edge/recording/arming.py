"""Which streams are wanted now: pure, from the orders in force."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from contract.keys import SealBroken, SealKey
from contract.messages import Camera, Order, Source, Stream
from contract.spans import Span, union
from edge.clocktrust import TOLERANCE
from edge.orders import PROTECTED, OrdersInForce, windows
from edge.recording.camera import Origin

_STREAMS: tuple[Stream, ...] = ("main", "sub")
_ARM = timedelta(minutes=2)
_ARM_SPREAD_S = 100.0
"""Sessions begin within this of two minutes before a window, so 20 s are left to fail and retry."""
LINGER = timedelta(seconds=1.5)
"""How long after a window its last pictures may still be on their way."""
_UNTRUSTED = timedelta(hours=25)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Wanted(NamedTuple):
    """One stream to be pulled, and when it is to be kept."""

    origin: Origin
    keep: tuple[Span, ...]


@lru_cache(maxsize=4096)  # asked every second of every order
def arms_at(camera: str, window: Span) -> datetime:
    """Give the instant at which a camera's sessions begin: jittered, and always the same."""
    digest = hashlib.sha256(f"{camera} {window.start.isoformat()}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return window.start - _ARM + timedelta(seconds=share * _ARM_SPREAD_S)


def is_armed(camera: str, window: Span, now: datetime) -> bool:
    """True from a little before a window until its last pictures have come."""
    return arms_at(camera, window) <= now < window.end + LINGER


class Origins:
    """Where streams come from: opens each sealed address once."""

    def __init__(self, key: SealKey) -> None:
        self._key = key
        self._opened: dict[tuple[str, str], dict[Stream, Origin]] = {}

    def of(self, camera: Camera) -> dict[Stream, Origin]:
        """Give a camera's streams; one that cannot be opened says so by its fault."""
        place = (camera.sealed, camera.switch)
        if place not in self._opened:
            self._opened[place] = _open(camera, self._key)
        return self._opened[place]

    def forget_all(self) -> None:
        """Keep no address that may be no longer in force."""
        self._opened.clear()


class Ordered(NamedTuple):
    """What the orders in force say of one camera; it stays as long as they do."""

    camera: Camera
    orders: tuple[Order, ...]
    windows: tuple[Span, ...]
    """To be covered, apart and in order."""
    keep: Mapping[Stream, tuple[Span, ...]]
    """When each stream is to be kept, apart and in order."""


def by_camera(orders: OrdersInForce) -> list[Ordered]:
    """Arrange the orders by camera: what is asked every second is found once."""
    mine: dict[str, list[Order]] = {camera.id: [] for camera in orders.cameras}
    for order in orders.orders:
        mine.setdefault(order.camera, []).append(order)
    return [_ordered(camera, tuple(mine[camera.id])) for camera in orders.cameras]


def _ordered(camera: Camera, orders: tuple[Order, ...]) -> Ordered:
    keep: dict[Stream, tuple[Span, ...]] = {
        stream: tuple(union([Span(one.start, one.end) for one in orders if stream in one.record]))
        for stream in _STREAMS
    }
    return Ordered(camera, orders, tuple(windows(orders, camera.id)), keep)


def wanted(
    ordered: Iterable[Ordered], origins: Origins, now: datetime, earliest: datetime | None = None
) -> dict[tuple[str, Stream], Wanted]:
    """Give the streams to be pulled now.

    `earliest` is given when the box does not trust its clock: the true time is not before it. Then
    every camera is pulled and kept that has an order which may not be over, and begins within 24 h
    of it or of the clock; of a box that knows no earliest time, every camera with an order.
    """
    result: dict[tuple[str, Stream], Wanted] = {}
    for mine in ordered:
        if not _is_wanted(mine, now, earliest):
            continue
        for stream, origin in origins.of(mine.camera).items():
            keep = mine.keep[stream]
            if keep and earliest is not None:
                keep = tuple(union([*keep, Span(now - _UNTRUSTED, now + _UNTRUSTED)]))
            result[mine.camera.id, stream] = Wanted(origin, keep)
    return result


def _is_wanted(mine: Ordered, now: datetime, earliest: datetime | None) -> bool:
    if earliest is None:
        return any(is_armed(mine.camera.id, window, now) for window in mine.windows)
    is_known = earliest > _NEVER
    return any(
        order.end + TOLERANCE > earliest
        and (not is_known or order.start - PROTECTED <= max(now, earliest))
        for order in mine.orders
    )


def _open(camera: Camera, key: SealKey) -> dict[Stream, Origin]:
    try:
        source = msgspec.json.decode(key.open(camera.sealed), type=Source)
    except (SealBroken, msgspec.MsgspecError):
        fault = "its address was not sealed to this box"
        return {stream: Origin("", "", "", camera.switch, fault) for stream in _STREAMS}
    urls: dict[Stream, str] = {"main": source.main, "sub": source.sub}
    return {
        stream: Origin(url, source.user, source.password, camera.switch)
        for stream, url in urls.items()
        if url or stream == "main"
    }


def ordered_spans(orders: OrdersInForce) -> dict[tuple[str, Stream], list[Span]]:
    """Give, for each stream that is to be kept, its windows, apart and in order."""
    spans: dict[tuple[str, Stream], list[Span]] = {}
    for order in orders.orders:
        for stream in order.record:
            spans.setdefault((order.camera, stream), []).append(Span(order.start, order.end))
    return {key: union(some) for key, some in spans.items()}
