"""Which holds are in force on this box, and what a newer list changes of them."""

from datetime import datetime
from pathlib import Path

import msgspec

from contract.clock import Instant
from contract.keys import BadSignature, from_base64, kid_of, open_signed, write_private
from contract.messages import (
    EpochGrant,
    Hold,
    HoldList,
    HoldNotice,
    HoldReleased,
    KeptLonger,
    Message,
)
from contract.retention import touches
from contract.spans import Span

_NAMES = 2
"""Persons that must release a hold; a request's hold lapses with its request."""


class ListRefused(Exception):
    """A hold list is not newer than what the box has."""


class HoldsInForce(Message, frozen=True, kw_only=True):
    """What deletion works by. A file of the box, never sent."""

    epoch: int = 0
    number: int = 0
    issued_at: Instant | None = None
    holds: tuple[Hold, ...] = ()
    longer: tuple[KeptLonger, ...] = ()


def believed(payload: bytes, edge: str, site: dict[str, bytes], pinned: bytes) -> HoldList:
    """Give the list in a `HoldNotice`, when its chain of signatures holds.

    The site's offline key granted the epoch, and may have named its hold key; else the one pinned
    at enrolment signs. Raises BadSignature.
    """
    try:
        notice = msgspec.json.decode(payload, type=HoldNotice)
    except msgspec.MsgspecError as error:
        raise BadSignature(f"not a hold notice: {error}") from error
    grant = open_signed(msgspec.json.encode(notice.grant), site, EpochGrant)
    key = from_base64(grant.hold_public) if grant.hold_public else pinned
    found = open_signed(msgspec.json.encode(notice.list), {kid_of(key): key}, HoldList)
    if found.edge != edge:
        raise BadSignature(f"a hold list for {found.edge}")
    if found.epoch != grant.epoch:
        raise BadSignature(f"epoch {found.epoch} under a grant for {grant.epoch}")
    return found


def adopt(current: HoldsInForce, new: HoldList) -> HoldsInForce:
    """Give the holds in force after a newer list.

    Absence is not release, in an old epoch as in a new one: a hold that the list does not name
    stays until `released` names it, with two persons unless it is a request's. A hold that is
    named again may grow, and never shrinks. Raises ListRefused.
    """
    if (new.epoch, new.number) <= (current.epoch, current.number):
        raise ListRefused(
            f"list {new.epoch}.{new.number} is not newer than {current.epoch}.{current.number}"
        )
    released = {entry.hold: entry for entry in new.released}
    holds = {hold.hold: hold for hold in new.holds}
    for old in current.holds:
        again = holds.get(old.hold)
        if again is not None:
            holds[old.hold] = _grown(old, again)
        elif not _may_end(old, released.get(old.hold)):
            holds[old.hold] = old
    longer = {one.window: one for one in (*current.longer, *new.longer)}
    return HoldsInForce(
        epoch=new.epoch,
        number=new.number,
        issued_at=new.issued_at,
        holds=tuple(sorted(holds.values(), key=lambda hold: hold.hold)),
        longer=tuple(longer.values()) if new.epoch != current.epoch else new.longer,
    )


def _may_end(hold: Hold, entry: HoldReleased | None) -> bool:
    if entry is None:
        return False
    return hold.kind == "request" or len(set(entry.approved_by)) >= _NAMES


def _grown(old: Hold, new: Hold) -> Hold:
    return msgspec.structs.replace(
        old,
        cameras=tuple(sorted({*old.cameras, *new.cameras})),
        start=min(old.start, new.start),
        end=max(old.end, new.end),
    )


def holding(holds: tuple[Hold, ...], camera: str, start: datetime, end: datetime) -> list[str]:
    """Name the holds that keep a camera's footage of this span."""
    span = Span(start, end)
    return [
        hold.hold
        for hold in holds
        if camera in hold.cameras and touches(span, hold.start, hold.end)
    ]


def load(path: Path) -> HoldsInForce:
    """Read the file; no file means no list. Raises ValueError for what is no such file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=HoldsInForce)
    except FileNotFoundError:
        return HoldsInForce()
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: {error}") from error


def save(path: Path, holds: HoldsInForce) -> None:
    """Write the file whole, or not at all."""
    write_private(path, msgspec.json.encode(holds))
