"""Proof of silence: nothing recorded, and no camera asked for pictures, outside windows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from contract.coverage import length_us
from contract.messages import ContactChanged, RecorderBegan
from contract.spans import Span, subtract, union
from orchestrator.certificates.document import Outside, Silence, Unproved

KEY_LEAD = timedelta(seconds=12)
"""A file begins at a key picture, which may lie this long before a window; it is measured."""
JOINT = timedelta(seconds=2)
"""The picture that is being shown when a window ends is the file's last."""
ARMING = timedelta(minutes=2, seconds=5)
"""So long before a window its cameras are asked."""
LETTING_GO = timedelta(seconds=15)
"""So long after a window the last session may take to end."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A segment."""

    id: str
    camera: str
    stream: str
    edge: str
    span: Span
    is_trusted: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A box's word on a contact or its recorder's start, with its place among its facts."""

    edge: str
    at: datetime
    seq: int
    said: ContactChanged | RecorderBegan


@dataclass(frozen=True, slots=True)
class Contact:
    """While it lasted there may have been RTSP sessions with a stream."""

    camera: str
    stream: str
    edge: str
    span: Span
    is_trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a span."""

    span: Span
    windows: Mapping[str, Sequence[Span]]
    """Of every camera that is looked at."""
    segments: Sequence[Recorded] = ()
    settled: int = 0
    """How many more segments there are, which lie within their windows."""
    settled_lead_in_us: int = 0
    """The longest piece that any of these has before its window."""
    told: Sequence[Told] = ()
    heard_at: Mapping[str, datetime | None] = field(default_factory=dict)
    """When each box that has such cameras was heard last."""


def judge(evidence: Evidence) -> Silence:
    """Give what lies outside, what cannot be judged, and of what nothing is proved."""
    span = evidence.span
    segments = [one for one in evidence.segments if one.camera in evidence.windows]
    contacts = [
        one
        for one in contacts_of(evidence.told, evidence.heard_at, span.end)
        if one.camera in evidence.windows and _within(one.span, span)
    ]
    exceptions: list[Outside] = []
    untrusted: list[Outside] = []
    for recorded in segments:
        windows = _widened(evidence.windows[recorded.camera], KEY_LEAD, JOINT)
        parts = _outside("recording", recorded, windows, span, recorded.id)
        (exceptions if recorded.is_trusted else untrusted).extend(parts)
    for contact in contacts:
        windows = _widened(evidence.windows[contact.camera], ARMING, LETTING_GO)
        parts = _outside("contact", contact, windows, span)
        (exceptions if contact.is_trusted else untrusted).extend(parts)
    unproved = _unproved(evidence)
    return Silence(
        start=span.start,
        end=span.end,
        silent=not (exceptions or untrusted or unproved),
        cameras=len(evidence.windows),
        segments=len({one.id for one in segments}) + evidence.settled,
        contacts=len(contacts),
        lead_in_us=max(
            evidence.settled_lead_in_us,
            *(lead_in(one, evidence.windows[one.camera]) for one in segments),
            0,
        ),
        exceptions=tuple(sorted(set(exceptions))),
        untrusted=tuple(sorted(set(untrusted))),
        unproved=tuple(sorted(unproved)),
    )


def is_settled(one: Recorded, windows: Sequence[Span]) -> bool:
    """True when nothing of a segment lies outside its camera's windows: there is nothing to say."""
    return not subtract(one.span, _widened(windows, KEY_LEAD, JOINT))


def lead_in(one: Recorded, windows: Sequence[Span]) -> int:
    """Give how much of a segment lies before the window that it leads in, in microseconds."""
    starts = [
        window.start
        for window in union(windows)
        if one.span.start < window.start < one.span.end
        and window.start - one.span.start <= KEY_LEAD
    ]
    return max((length_us(Span(one.span.start, start)) for start in starts), default=0)


def contacts_of(
    told: Iterable[Told], heard_at: Mapping[str, datetime | None], until: datetime
) -> list[Contact]:
    """Give the contacts that boxes told of, in whatever order their words came.

    One that nobody closed lasts until its box was heard last; a recorder that starts ends all.
    """
    unique = {(one.edge, one.seq, one.at): one for one in told}
    running: dict[tuple[str, str, str], Contact] = {}
    found: list[Contact] = []
    for one in sorted(unique.values(), key=lambda one: (one.edge, one.at, one.seq)):
        if isinstance(one.said, RecorderBegan):
            ended = one.said.last_alive or one.said.began
            for key in [key for key in running if key[0] == one.edge]:
                found.append(_ended(running.pop(key), ended))
            continue
        key = (one.edge, one.said.camera, one.said.stream)
        before = running.pop(key, None)
        contact = Contact(
            one.said.camera,
            one.said.stream,
            one.edge,
            Span(one.said.since, max(one.at, one.said.since)),
            one.said.clock == "trusted",
        )
        if one.said.state == "opened":
            if before is not None:
                found.append(_ended(before, one.said.since))
            running[key] = contact
        else:
            found.append(contact)
    for contact in running.values():
        heard = heard_at.get(contact.edge) or contact.span.start
        found.append(_ended(contact, min(until, heard)))
    return found


def _ended(contact: Contact, end: datetime) -> Contact:
    start = contact.span.start
    return Contact(
        contact.camera,
        contact.stream,
        contact.edge,
        Span(start, max(start, end)),
        contact.is_trusted,
    )


def _within(part: Span, whole: Span) -> bool:
    return part.start < whole.end and whole.start < part.end


def _widened(windows: Iterable[Span], before: timedelta, after: timedelta) -> list[Span]:
    return union(Span(window.start - before, window.end + after) for window in windows)


def _outside(
    kind: Literal["recording", "contact"],
    one: Recorded | Contact,
    windows: Sequence[Span],
    span: Span,
    id: str = "",
) -> list[Outside]:
    clipped = Span(max(one.span.start, span.start), min(one.span.end, span.end))
    return [
        Outside(
            kind=kind,
            start=part.start,
            end=part.end,
            camera=one.camera,
            stream=one.stream,
            edge=one.edge,
            id=id,
        )
        for part in subtract(clipped, windows)
    ]


def _unproved(evidence: Evidence) -> list[Unproved]:
    """Where a box was not heard to the end, or kept no record of contacts yet."""
    span = evidence.span
    found: list[Unproved] = []
    for edge, heard in evidence.heard_at.items():
        began = [
            one.said.began
            for one in evidence.told
            if one.edge == edge and isinstance(one.said, RecorderBegan)
        ]
        first = min(began, default=None)
        if first is None or first > span.start:
            end = span.end if first is None else min(first, span.end)
            found.append(Unproved(edge=edge, start=span.start, end=end, why="no_record"))
        if first is not None and (heard is None or heard < span.end):
            start = max(span.start, heard or span.start)
            found.append(Unproved(edge=edge, start=start, end=span.end, why="not_heard"))
    return found
