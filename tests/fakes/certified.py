"""What a certificate is made of, as tests need it: boxes with keys, segments, words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from contract.coverage import Hole
from contract.keys import SigningKey, to_base64
from contract.messages import (
    CoverageStated,
    Fact,
    GapFound,
    Order,
    SegmentClosed,
    sign_fact,
)
from contract.spans import Span
from edge.recording.statements import state
from orchestrator.certificates.building import (
    CameraFacts,
    Facts,
    Row,
    ToldGap,
    Word,
    build,
    words_of,
)
from orchestrator.certificates.document import (
    FORMAT,
    BoxWord,
    Certificate,
    LedgerHead,
    Listed,
    Sat,
    SignedCertificate,
    Silence,
    Sitting,
    signed,
)

START = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
END = START + timedelta(minutes=165)
WINDOW = Span(START, END)
BOX_KEY = SigningKey.make()
CENTRE_KEY = SigningKey.make()


def at(seconds: float) -> datetime:
    """An instant of the window."""
    return START + timedelta(seconds=seconds)


def closed(
    camera: str, start: float, end: float, root: str, previous: str = "", **changes: object
) -> SegmentClosed:
    """A segment as its box tells it."""
    begin = at(start)
    plain = SegmentClosed(
        segment=f"{camera}.main.{begin:%Y%m%dT%H%M%S}{begin.microsecond // 1000:03}",
        camera=camera,
        stream="main",
        start=begin,
        end=at(end),
        bytes=15_000_000,
        path=f"shelf/{camera}/x.mp4",
        root=root,
        previous=previous,
        fragments=120,
        clock="trusted",
    )
    return msgspec.structs.replace(plain, **changes)


def chain(camera: str, *spans: tuple[float, float]) -> list[SegmentClosed]:
    """Segments that follow one another, chained."""
    found: list[SegmentClosed] = []
    for number, (start, end) in enumerate(spans):
        previous = found[-1].root if found else ""
        found.append(closed(camera, start, end, f"{number:02x}" * 32, previous))
    return found


def gap(camera: str, start: float, end: float, cause: str = "lost") -> GapFound:
    """A gap as its box tells it."""
    told = {
        "gap": f"{camera}.{start}",
        "camera": camera,
        "stream": "main",
        "start": at(start),
        "end": at(end),
        "cause": cause,
    }
    return msgspec.convert(told, GapFound)


def word(
    camera: str,
    segments: Sequence[SegmentClosed],
    gaps: Sequence[GapFound] = (),
    *,
    seq: int = 1,
    edge: str = "box-1",
    key: SigningKey = BOX_KEY,
) -> Word:
    """The box's own word on a camera, signed."""
    order = Order(id=f"s1.{camera}", camera=camera, session="s1", start=START, end=END)
    said: CoverageStated = state(order, "main", segments, gaps)
    fact = sign_fact(
        key,
        Fact(
            edge=edge,
            seq=seq,
            id=f"coverage.{seq}",
            type="coverage",
            at=END + timedelta(seconds=10 + seq),
            data=msgspec.Raw(msgspec.json.encode(said)),
        ),
    )
    body = msgspec.json.encode(fact).decode()
    return Word(edge, key.public, fact.id, seq, fact.at, body, said)


def known(
    camera: str,
    segments: Sequence[SegmentClosed],
    gaps: Sequence[GapFound] = (),
    words: Sequence[Word] | None = None,
    **changes: object,
) -> CameraFacts:
    """What the centre knows of a camera; its box has told, unless said otherwise."""
    values = {
        "camera": camera,
        "edge": "box-1",
        "order": f"s1.{camera}",
        "segments": [row(one) for one in segments],
        "gaps": [ToldGap("box-1", Hole(Span(g.start, g.end), g.cause, g.detail)) for g in gaps],
        "words": [word(camera, segments, gaps)] if words is None else words,
        "commanded_at": START - timedelta(days=1),
        **changes,
    }
    return CameraFacts(**values)  # type: ignore[arg-type]


def row(one: SegmentClosed, edge: str = "box-1") -> Row:
    """A segment in the catalogue."""
    return Row(
        Listed(
            id=one.segment,
            edge=edge,
            start=one.start,
            end=one.end,
            bytes=one.bytes,
            root=one.root,
            previous=one.previous,
            clock=one.clock,
            adopted=one.adopted,
        ),
        one.clock_offset_ms,
    )


def facts(*cameras: CameraFacts, silence: Silence | None = None, name: str = "教一 101") -> Facts:
    """All that is known of a session."""
    day = Silence(
        start=END - timedelta(hours=24),
        end=END,
        silent=True,
        cameras=len(cameras),
        segments=2,
        contacts=4,
        lead_in_us=800_000,
    )
    return Facts(
        site="桂林航天工业学院",
        timezone="Asia/Shanghai",
        sitting=Sitting(
            id="s1",
            room="A101",
            room_name=name,
            building="教一",
            campus="东校区",
            start=START + timedelta(minutes=30),
            end=END - timedelta(minutes=15),
            window_start=START,
            window_end=END,
            courses=(Sat(code="MATH1", name="高等数学"),),
            headcount=45,
        ),
        silence=silence or day,
        cameras=list(cameras),
    )


def issued(known_facts: Facts, edition: int = 1, key: SigningKey = CENTRE_KEY) -> SignedCertificate:
    """A certificate as the centre issues it."""
    content = build(known_facts)
    certificate = Certificate(
        format=FORMAT,
        edition=edition,
        issued_at=END + timedelta(seconds=30),
        ledger=LedgerHead(id=421, hash="5d" * 32),
        content=content,
    )
    return SignedCertificate(
        certificate=signed(key, certificate),
        public=to_base64(key.public),
        statements=tuple(
            BoxWord(fact=one.body, public=to_base64(one.public))
            for one in words_of(known_facts, content)
        ),
    )
