"""From what was planned and told to a certificate's content: pure, whatever order it came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.coverage import Account, Hole, account, roots_digest
from contract.keys import kid_of
from contract.messages import CoverageStated, Stream
from contract.spans import Span
from orchestrator.certificates.document import (
    CameraPart,
    Content,
    Copy,
    Gap,
    Listed,
    Reason,
    Silence,
    Sitting,
    Stated,
    StreamPart,
    Verdict,
    sha256_of,
)

STREAM: Stream = "main"
"""The stream that is planned; the sub-stream is for eyes and live pictures."""
GIVE_UP_AFTER = timedelta(hours=24)
"""A box that has not told by then: the certificate is issued without its word."""
NOT_COMMANDED = "not_commanded"
_LATE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A segment in the catalogue."""

    listed: Listed
    offset_ms: float | None = None

    @property
    def span(self) -> Span:
        """When it was recorded."""
        return Span(self.listed.start, self.listed.end)


@dataclass(frozen=True, slots=True)
class ToldGap:
    """A gap in the catalogue."""

    edge: str
    hole: Hole


@dataclass(frozen=True, slots=True)
class Word:
    """A statement as it came."""

    edge: str
    public: bytes
    fact: str
    """Its id."""
    seq: int
    at: datetime
    body: str
    said: CoverageStated
    is_complete: bool = True
    """Everything that the box told before it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFacts:
    """All that is known of one camera in one window."""

    camera: str
    edge: str
    order: str
    segments: Sequence[Row] = ()
    gaps: Sequence[ToldGap] = ()
    words: Sequence[Word] = ()
    known_roots: frozenset[str] = frozenset()
    """Of any segment of the stream, for the chain."""
    commanded_at: datetime | None = None
    """When a box was first told to record it; empty: never."""
    copies: tuple[Copy, ...] = ()
    """Kept elsewhere than at the boxes."""
    outages: Sequence[Hole] = ()
    """Planned ones: they explain what is missing, whatever the box saw of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a certificate is made of."""

    site: str
    timezone: str
    sitting: Sitting
    silence: Silence
    cameras: Sequence[CameraFacts] = field(default=())

    @property
    def window(self) -> Span:
        """The planned span."""
        return Span(self.sitting.window_start, self.sitting.window_end)


def is_ready(facts: Facts, now: datetime) -> bool:
    """True when every box has told, or has had a day to."""
    if now >= facts.window.end + GIVE_UP_AFTER:
        return True
    return all(not _untold(camera) for camera in facts.cameras)


def build(facts: Facts) -> Content:
    """Give what the certificate says."""
    cameras = tuple(
        CameraPart(camera=camera.camera, edge=camera.edge, streams=(_stream(camera, facts.window),))
        for camera in sorted(facts.cameras, key=lambda one: one.camera)
    )
    parts = [part for camera in cameras for part in camera.streams]
    reasons = _reasons(facts, cameras)
    verdict: Verdict = "INCOMPLETE" if reasons else "VERIFIED"
    return Content(
        site=facts.site,
        timezone=facts.timezone,
        session=facts.sitting,
        verdict=verdict,
        reasons=reasons,
        planned_us=sum(part.planned_us for part in parts),
        recorded_us=sum(part.recorded_us for part in parts),
        seams_us=sum(part.seams_us for part in parts),
        missing_us=sum(gap.us for part in parts for gap in part.gaps),
        cameras=cameras,
        silence=facts.silence,
    )


def newest(words: Sequence[Word]) -> list[Word]:
    """Give the statement of each box that holds: the last it made."""
    last: dict[str, Word] = {}
    for word in sorted(words, key=lambda one: (one.at, one.seq, one.fact)):
        last[word.edge] = word
    return [last[edge] for edge in sorted(last)]


def words_of(facts: Facts, content: Content) -> list[Word]:
    """Give the statements that a content speaks of, in its order."""
    by_hash = {sha256_of(word.body): word for camera in facts.cameras for word in camera.words}
    return [
        by_hash[stated.sha256]
        for camera in content.cameras
        for part in camera.streams
        for stated in part.statements
    ]


def _untold(camera: CameraFacts) -> bool:
    words = newest(camera.words)
    told = {word.edge for word in words if word.is_complete}
    has_files = {row.listed.edge for row in camera.segments}
    return not told or not has_files <= told


def _sorted(camera: CameraFacts) -> list[Row]:
    unique = {row.listed.id: row for row in camera.segments}
    return sorted(unique.values(), key=lambda row: (row.listed.start, row.listed.id))


def _stream(camera: CameraFacts, window: Span) -> StreamPart:
    rows = _sorted(camera)
    told = sorted({gap.hole for gap in camera.gaps})
    causes = [*_uncommanded(camera, window), *camera.outages, *told]
    found = account(window, [row.span for row in rows], causes)
    listed = tuple(row.listed for row in rows)
    roots = camera.known_roots | {one.root for one in listed} | {""}
    offsets = [abs(row.offset_ms) for row in rows if row.offset_ms is not None]
    return StreamPart(
        stream=STREAM,
        order=camera.order,
        planned_us=found.planned_us,
        recorded_us=found.recorded_us,
        seams_us=found.seams_us,
        gaps=tuple(map(_gap, found.gaps)),
        segments=listed,
        chain_head=listed[-1].root if listed else "",
        chain_broken=tuple(one.id for one in listed if one.previous not in roots),
        untrusted=sum(one.clock == "untrusted" for one in listed),
        worst_offset_ms=max(offsets, default=None),
        copies=(*_at_boxes(listed), *camera.copies),
        statements=tuple(_stated(word, camera, window) for word in newest(camera.words)),
    )


def _uncommanded(camera: CameraFacts, window: Span) -> list[Hole]:
    """What was never commanded, or too late, is not the box's omission."""
    until = camera.commanded_at or window.end
    if until - window.start <= _LATE:
        return []
    return [Hole(Span(window.start, min(until, window.end)), NOT_COMMANDED)]


def _gap(hole: Hole) -> Gap:
    return Gap(
        start=hole.span.start,
        end=hole.span.end,
        us=hole.us,
        cause=hole.cause,
        detail=hole.detail,
    )


def _at_boxes(listed: Sequence[Listed]) -> list[Copy]:
    by_edge: dict[str, list[Listed]] = {}
    for one in listed:
        by_edge.setdefault(one.edge, []).append(one)
    return [
        Copy(where="box", name=edge, segments=len(own), at=max(one.end for one in own))
        for edge, own in sorted(by_edge.items())
    ]


def _stated(word: Word, camera: CameraFacts, window: Span) -> Stated:
    return Stated(
        edge=word.edge,
        fact=word.fact,
        at=word.at,
        kid=kid_of(word.public),
        sha256=sha256_of(word.body),
        differs=_differs(word, camera, window),
    )


def _differs(word: Word, camera: CameraFacts, window: Span) -> tuple[str, ...]:
    """Name in what a box's word and the catalogue part, over the box's own files alone."""
    said = word.said
    rows = [row for row in _sorted(camera) if row.listed.edge == word.edge]
    told = sorted({gap.hole for gap in camera.gaps if gap.edge == word.edge})
    found = account(window, [row.span for row in rows], told)
    roots = roots_digest((row.listed.id, row.listed.root) for row in rows)
    compared: Mapping[str, bool] = {
        "window": Span(said.start, said.end) == window,
        "segments": (said.segments, said.roots) == (len(rows), roots),
        "chain": said.chain_head == (rows[-1].listed.root if rows else ""),
        "seconds": (said.recorded_us, said.seams_us) == (found.recorded_us, found.seams_us),
        "gaps": [(gap.start, gap.end, gap.cause) for gap in said.gaps] == _ends(found),
    }
    return tuple(name for name, same in compared.items() if not same)


def _ends(found: Account) -> list[tuple[datetime, datetime, str]]:
    return [(gap.span.start, gap.span.end, gap.cause) for gap in found.gaps]


def _reasons(facts: Facts, cameras: Sequence[CameraPart]) -> tuple[Reason, ...]:
    if not cameras:
        return (Reason(code="no_camera"),)
    untold = {camera.camera for camera in facts.cameras if _untold(camera)}
    found: set[Reason] = set()
    for camera in cameras:
        name = camera.camera
        if name in untold:
            found.add(Reason(code="not_told", camera=name))
        for part in camera.streams:
            if part.gaps:
                found.add(Reason(code="gap", camera=name, stream=part.stream))
            if any(stated.differs for stated in part.statements):
                found.add(Reason(code="differs", camera=name, stream=part.stream))
            if part.chain_broken:
                found.add(Reason(code="chain_broken", camera=name, stream=part.stream))
            if part.untrusted:
                found.add(Reason(code="clock_untrusted", camera=name, stream=part.stream))
    return tuple(sorted(found))
