"""Which segments have a second copy, and how far each is; kept in the box's journal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from contract.messages import Archived, SegmentClosed, ShelfTrouble
from edge.journal import Journal, to_us
from edge.orders import OrdersInForce, is_open

State = Literal["sealed", "verified", "gone"]
_MOST = 200


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """An encrypted object that was made, and waits to be sent and read back."""

    segment: str
    place: str
    bytes: int
    sha256: str


def place_of(edge: str, segment: SegmentClosed) -> str:
    """Name a segment's object: the same however often it is asked."""
    return f"{edge}/{segment.camera}/{segment.start:%Y-%m-%d}/{segment.segment}.xka"


def is_due(segment: SegmentClosed, orders: OrdersInForce, now: datetime) -> bool:
    """True when every window that touches the segment is over."""
    return all(
        order.end <= now
        for order in orders.orders
        if order.camera == segment.camera
        and order.start < segment.end
        and order.end > segment.start
    )


class Copies:
    """Reads and writes the state of one archive's copies."""

    def __init__(self, journal: Journal, copy: str) -> None:
        self._journal = journal
        self._copy = copy

    async def waiting(
        self, orders: OrdersInForce, now: datetime, without: Iterable[str] = ()
    ) -> list[SegmentClosed]:
        """Give segments that are due and have no copy that was read back, oldest first.

        A camera whose window is open waits with all it has. Those in `without` are left out.
        """
        busy = sorted({order.camera for order in orders.orders if is_open(order, now)})
        rows = await self._journal.rows(
            "select s.row from segments s left join copies c "
            "on c.segment = s.id and c.copy = ? "
            "where (c.state is null or c.state = 'sealed') "
            "and s.camera not in (select value from json_each(?)) "
            "and s.id not in (select value from json_each(?)) order by s.rowid limit ?",
            (self._copy, _listed(busy), _listed(sorted(without)), _MOST),
        )
        found = [msgspec.json.decode(row[0], type=SegmentClosed) for row in rows]
        return [segment for segment in found if is_due(segment, orders, now)]

    async def sealed(self, segment: str) -> SealedCopy | None:
        """Give the object that was made of a segment and not read back yet."""
        rows = await self._journal.rows(
            "select place, bytes, sha256 from copies "
            "where segment = ? and copy = ? and state = 'sealed'",
            (segment, self._copy),
        )
        return next((SealedCopy(segment, *row) for row in rows), None)

    async def keep_sealed(self, made: SealedCopy, at: datetime) -> None:
        """Note an object before a byte of it is sent."""
        await self._put(made, "sealed", at)

    async def give_up(self, segment: SegmentClosed, at: datetime, trouble: str = "") -> None:
        """Note that a segment is not there to be copied; tells the trouble, if it is one."""
        row = self._row(SealedCopy(segment.segment, "", 0, ""), "gone", at)
        if not trouble:
            await self._journal.write(_PUT, row)
            return
        name = f"damaged.{segment.segment}"
        await self._journal.write_and_tell(_PUT, row, _damaged(trouble), at, name)

    async def complain(self, segment: SegmentClosed, at: datetime, trouble: str) -> None:
        """Tell, once, that a segment's copy cannot be made; it is tried again all the same."""
        await self._journal.add_fact(_damaged(trouble), at, f"not-copied.{segment.segment}")

    async def keep_verified(self, made: SealedCopy, segment: SegmentClosed, at: datetime) -> None:
        """Note that an object was read back and is right, and tell it, once, in one step."""
        fact = Archived(
            segment=segment.segment,
            camera=segment.camera,
            copy=self._copy,
            place=made.place,
            bytes=made.bytes,
            sha256=made.sha256,
            verified_at=at,
        )
        await self._journal.write_and_tell(
            _PUT, self._row(made, "verified", at), fact, at, f"archived.{made.sha256[:32]}"
        )

    async def outgoing(self) -> list[SegmentClosed]:
        """Give the segments on record of which an object waits to be sent and read back."""
        rows = await self._journal.rows(
            "select s.row from copies c join segments s on s.id = c.segment "
            "where c.copy = ? and c.state = 'sealed'",
            (self._copy,),
        )
        return [msgspec.json.decode(row[0], type=SegmentClosed) for row in rows]

    async def _put(self, made: SealedCopy, state: State, at: datetime) -> None:
        await self._journal.write(_PUT, self._row(made, state, at))

    def _row(self, made: SealedCopy, state: State, at: datetime) -> tuple[str | int, ...]:
        at_us = to_us(at)
        return (made.segment, self._copy, state, made.place, made.bytes, made.sha256, at_us)


def _damaged(trouble: str) -> ShelfTrouble:
    return ShelfTrouble(kind="archive", detail=f"damaged: {trouble}")


def _listed(names: list[str]) -> str:
    return msgspec.json.encode(names).decode()


_PUT = "insert or replace into copies values (?, ?, ?, ?, ?, ?, ?)"
