"""Evidence packages made of files at hand, without box or centre."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contract.fragments import parts
from contract.keys import SigningKey
from contract.messages import Fact, SegmentClosed, sign_fact
from contract.spans import Span
from orchestrator.certificates.records import Kept
from orchestrator.evidence.certified import add_certificates
from orchestrator.evidence.footage import Footage
from orchestrator.evidence.manifest import Site, Wish, about, footage_name, segment_row, vouch
from orchestrator.evidence.package import writing
from orchestrator.evidence.readme import add_reading_matter
from tests.fakes.footage import record

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SITE = Site("试验大学", "Asia/Shanghai", {"cam-1": "教一 101"})
WISH = Wish(
    id="ev-1",
    cameras=("cam-1",),
    span=Span(START + timedelta(seconds=2.35), START + timedelta(seconds=7.25)),
    reason="成绩复核",
    request="附2-2026-0007",
    recipient="教务处 王敏",
    requester="李雷",
    exported_by="exam_office",
    approved_by=("赵主任",),
)


@dataclass(frozen=True)
class Keys:
    """Everybody's keys."""

    box: SigningKey
    identity: SigningKey
    evidence: SigningKey

    @classmethod
    def make(cls) -> "Keys":
        """Make them anew."""
        return cls(*(SigningKey.make() for _ in range(3)))


def recorded(data: Path, codec: str = "h264", b_frames: int = 0) -> list[SegmentClosed]:
    """Two segments of five seconds, one after the other."""
    first = record(data, "cam-1", START, 5, codec=codec, b_frames=b_frames)
    later = START + timedelta(seconds=5)
    return [
        first,
        record(data, "cam-1", later, 5, codec=codec, b_frames=b_frames, previous=first.root),
    ]


def fact_of(key: SigningKey, told: SegmentClosed, seq: int) -> Fact:
    """What the box said of a segment."""
    plain = Fact(
        edge="box-1",
        seq=seq,
        id=f"f{seq}",
        type="segment",
        at=told.end,
        data=msgspec.Raw(msgspec.json.encode(told)),
    )
    return sign_fact(key, plain)


def in_90k(span: Span, told: SegmentClosed) -> tuple[int, int]:
    """The part of the span that the segment has, in its own time."""
    since = max(span.start, told.start) - told.start
    until = min(span.end, told.end) - told.start
    return round(since.total_seconds() * 90_000), round(until.total_seconds() * 90_000)


def make_package(
    place: Path,
    data: Path,
    keys: Keys,
    segments: list[SegmentClosed],
    wish: Wish = WISH,
    signer: SigningKey | None = None,
    certificates: Sequence[Kept] = (),
    missing: Sequence[tuple[str, Span]] = (),
) -> None:
    """Make a package of what these segments have of the span."""
    rows = []
    with writing(place) as package:
        add_reading_matter(package, wish, SITE, missing)
        for seq, told in enumerate(segments, 1):
            span = in_90k(wish.span, told)
            with (
                package.file(footage_name(told.camera, told.segment)) as file,
                (data / told.path).open("rb") as recorded,
            ):
                footage = Footage(file, told.root, *span)
                for part in parts(recorded, *span):
                    footage.take(part)
                rows.append(segment_row(fact_of(signer or keys.box, told, seq), span, footage))
        certified = add_certificates(package, certificates)
        box = vouch(keys.identity, "box-1", keys.box.public, START, START)
        said = about(
            wish,
            SITE,
            START,
            rows,
            missing,
            [],
            [box],
            keys.identity.public,
            (7, "ab" * 32),
            certified,
        )
        package.finish(said, keys.evidence)
