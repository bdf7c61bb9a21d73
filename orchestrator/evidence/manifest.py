"""What a package says of itself: what, when, who, why, and what proves it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contract.clock import Instant
from contract.keys import Signed, SigningKey, sign, to_base64
from contract.messages import Fact, Message, signed_part
from contract.spans import Span
from orchestrator.evidence.footage import Footage


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall leave the house, for whom and why."""

    id: str
    cameras: tuple[str, ...]
    span: Span
    reason: str
    request: str
    """Number of the application."""
    recipient: str
    requester: str
    exported_by: str
    """The account that makes it."""
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Whose footage it is, in the words of the people there."""

    name: str
    zone: str
    """Its time zone, by its IANA name."""
    rooms: Mapping[str, str] = field(default_factory=dict)
    """Each camera's room, where it is in one."""

    def local(self, instant: datetime) -> str:
        """Write an instant by the clocks of the site."""
        return f"{instant.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M:%S}"

    def named(self, camera: str) -> str:
        """Name a camera by its room, where it is in one."""
        return f"{self.rooms[camera]} ({camera})" if camera in self.rooms else camera


class BoxEnrolled(Message, frozen=True, kw_only=True):
    """The centre's word that a key is a box's. Signed with its identity key."""

    edge: str
    sign_public: str
    enrolled_at: Instant
    stated_at: Instant


@dataclass(frozen=True, slots=True)
class Vouched:
    """A box's key and the centre's word for it."""

    edge: str
    public: bytes
    enrolled: Signed


def vouch(key: SigningKey, edge: str, public: bytes, since: datetime, now: datetime) -> Vouched:
    """State that a box was enrolled with this key."""
    said = BoxEnrolled(edge=edge, sign_public=to_base64(public), enrolled_at=since, stated_at=now)
    return Vouched(edge, public, msgspec.json.decode(sign(key, said), type=Signed))


def footage_name(camera: str, segment: str) -> str:
    """Name a footage file: by camera and the segment's start."""
    return f"footage/{camera}/{segment.rpartition('.')[2]}.mp4"


def segment_row(fact: Fact, span_90k: tuple[int, int], made: Footage) -> dict[str, Any]:
    """Say what a footage file holds and what leads from it to the box's signature."""
    told: dict[str, Any] = msgspec.json.decode(fact.data)
    head = made.finish()
    pictures, seconds = made.lead_in
    return {
        "camera": told["camera"],
        "edge": fact.edge,
        "fact": {"signed": signed_part(fact).decode(), "sig": fact.sig},
        "file": footage_name(told["camera"], told["segment"]),
        "first": head.first,
        "fragments": head.fragments,
        "init": head.init,
        "lead_in": {"pictures": pictures, "seconds": f"{seconds:.3f}"},
        "leaves": head.leaves,
        "previous": told["previous"],
        "proof": head.proof,
        "root": told["root"],
        "segment": told["segment"],
        "shown": made.shown,
        "span": span_90k,
        "start": told["start"],
    }


def about(
    wish: Wish,
    site: Site,
    made_at: datetime,
    segments: Iterable[Mapping[str, Any]],
    missing: Iterable[tuple[str, Span]],
    viewing: Iterable[Mapping[str, str]],
    boxes: Iterable[Vouched],
    identity: bytes,
    ledger: tuple[int, str],
    certificates: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Give the manifest but for the list of files."""
    return {
        "id": wish.id,
        "site": site.name,
        "made_at": _written(made_at),
        "what": {
            "cameras": list(wish.cameras),
            "from": _written(wish.span.start),
            "to": _written(wish.span.end),
            "local": {
                "zone": site.zone,
                "from": site.local(wish.span.start),
                "to": site.local(wish.span.end),
            },
            "rooms": {
                camera: site.rooms[camera] for camera in wish.cameras if camera in site.rooms
            },
            "missing": [
                {"camera": camera, "from": _written(hole.start), "to": _written(hole.end)}
                for camera, hole in missing
            ],
        },
        "who": {
            "requester": wish.requester,
            "approved_by": list(wish.approved_by),
            "exported_by": wish.exported_by,
            "recipient": wish.recipient,
        },
        "why": {"reason": wish.reason, "request": wish.request},
        "segments": list(segments),
        "viewing": list(viewing),
        "boxes": [
            {
                "edge": box.edge,
                "sign_public": to_base64(box.public),
                "enrolled": msgspec.to_builtins(box.enrolled),
            }
            for box in boxes
        ],
        "centre": {"identity": to_base64(identity)},
        "certificates": list(certificates),
        "ledger": {"row": ledger[0], "hash": ledger[1]},
    }


def _written(instant: datetime) -> str:
    written: str = msgspec.to_builtins(instant)
    return written
