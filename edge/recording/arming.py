"""Which streams are wanted now: pure, from the orders in force."""

import hashlib
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


def wanted(
    orders: OrdersInForce, origins: Origins, now: datetime, earliest: datetime | None = None
) -> dict[tuple[str, Stream], Wanted]:
    """Give the streams to be pulled now.

    `earliest` is given when the box does not trust its clock: the true time is not before it. Then
    every camera is pulled and kept that has an order which may not be over, and begins within 24 h
    of it or of the clock; of a box that knows no earliest time, every camera with an order.
    """
    by_camera: dict[str, list[Order]] = {}
    for order in orders.orders:
        by_camera.setdefault(order.camera, []).append(order)
    result: dict[tuple[str, Stream], Wanted] = {}
    for camera in orders.cameras:
        mine = tuple(by_camera.get(camera.id, ()))
        if not _is_wanted(camera.id, mine, now, earliest):
            continue
        for stream, origin in origins.of(camera).items():
            keep = [Span(order.start, order.end) for order in mine if stream in order.record]
            if keep and earliest is not None:
                keep.append(Span(now - _UNTRUSTED, now + _UNTRUSTED))
            result[camera.id, stream] = Wanted(origin, tuple(union(keep)))
    return result


def _is_wanted(
    camera: str, orders: tuple[Order, ...], now: datetime, earliest: datetime | None
) -> bool:
    if earliest is None:
        return any(is_armed(camera, window, now) for window in windows(orders, camera))
    is_known = earliest > _NEVER
    return any(
        order.end + TOLERANCE > earliest
        and (not is_known or order.start - PROTECTED <= max(now, earliest))
        for order in orders
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


def ordered(orders: OrdersInForce) -> dict[tuple[str, Stream], list[Span]]:
    """Give, for each stream that is to be kept, its windows, apart and in order."""
    spans: dict[tuple[str, Stream], list[Span]] = {}
    for order in orders.orders:
        for stream in order.record:
            spans.setdefault((order.camera, stream), []).append(Span(order.start, order.end))
    return {key: union(some) for key, some in spans.items()}
