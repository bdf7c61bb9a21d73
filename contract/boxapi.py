"""What the centre asks a box over mutual TLS. Browsers never reach it.

`POST /live` (LiveOffer → 201 LiveAnswer) · `POST /live/{id}/renew` (a signed Renewal → 204) ·
`DELETE /live/{id}` (204) · `GET /live` (list of LiveLook) · `GET /shelf/{path}` with the header
`Xunkao-Ticket` (a playback Ticket over that path; Range as in RFC 9110) · `GET /health` ·
`GET /anchors` (an AnchorFile: the box's whole chain of anchors) ·
`GET /references/{camera}/{sha256}` (PNG, as taken; the approved view and the newest, no other) and
`POST /references/{camera}` (202: take a new candidate), each with a playback Ticket over its
address without the leading slash.
`GET /fragments/{path}?from&to` (a playback Ticket over path and query; 90 kHz from the segment's
start): a `FragmentsHead`, JSON behind its length (4 bytes, big-endian), then the init section and
the fragments, exactly as they stand on the shelf. `POST /viewing` (a `ViewingOrder`; a playback
Ticket over its bytes): an MP4 that is sent while it is made; 503 `busy` while another is.
`GET /index/{path}` (SegmentIndex) and `GET /keyframes/{path}?from&to` (fMP4 of the key pictures
alone that stand in this part, 90 kHz from the segment's first picture) open with the shelf's ticket
for the same path; so does a file that still grows (`.part`), as far as its last whole fragment.
`GET /growing/{camera}` (a Growing; 404 when nothing is recorded) takes a playback Ticket over
`growing/{camera}`.
Refusals are 403 `{"code": …}` with a TicketRefused code, `used` (single use), `no_camera`,
`too_many` (tracks) or `other_look` (renewal); 400 `bad_offer`, 404 `no_such`, 503 `journal_busy`
(a look that cannot be told does not begin). `path` is a segment's path below `shelf/`, without it.
"""

from contract.clock import Instant
from contract.messages import Id, Message, Stream

TICKET_HEADER = "Xunkao-Ticket"


class LiveOffer(Message, frozen=True, kw_only=True):
    """A browser's SDP offer with the ticket for it."""

    ticket: str
    """JSON of a `Signed` `Ticket`."""
    sdp: str


class LiveTrack(Message, frozen=True, kw_only=True):
    """Which media section carries which camera."""

    mid: str
    camera: str
    stream: Stream


class TrackRefused(Message, frozen=True, kw_only=True):
    """A camera that this look cannot show; its media section stays inactive."""

    camera: str
    stream: Stream
    code: str
    """`h265` or `b_frames`."""


class LiveAnswer(Message, frozen=True, kw_only=True):
    """The box's SDP answer."""

    id: str
    """The ticket's jti."""
    sdp: str
    tracks: tuple[LiveTrack, ...]
    refused: tuple[TrackRefused, ...] = ()


class LiveLook(Message, frozen=True, kw_only=True):
    """A look that is open now."""

    id: str
    user: str
    cameras: tuple[str, ...]
    state: str


class FragmentsHead(Message, frozen=True, kw_only=True):
    """What stands before fragments that leave a box: which they are, and what proves it."""

    init: int
    """Size of the init section, leaf 0 of the segment's tree."""
    leaves: int
    first: int
    """Leaf number of the first fragment; the others follow."""
    fragments: tuple[tuple[int, int, int, int], ...]
    """Place and size in the segment, begin and end in 90 kHz from its start."""
    proof: tuple[str, ...]
    """Hex: roots of the largest subtrees without any of these leaves, from left to right."""
    root: str


class ViewingOrder(Message, frozen=True, kw_only=True):
    """A copy to look at, of one camera: what it shows, and what is burnt into it."""

    camera: Id
    paths: tuple[str, ...]
    """Sealed segments below `shelf/`, in order."""
    starts: tuple[Instant, ...] = ()
    """When each of them begins, where that is known better than by its name; empty: as named."""
    start: Instant
    end: Instant
    request: str
    recipient: str
    zone: str = "UTC"
    """In which the time of day is written."""


class IndexedFragment(Message, frozen=True, kw_only=True):
    """Where a fragment stands in its file, and when its pictures are shown."""

    at: int
    """Byte at which it begins."""
    size: int
    begin: int
    """Decoding time of its first picture, 90 kHz from the segment's first one."""
    end: int
    times: tuple[int, ...]
    """When each picture is shown, 90 kHz, in the order of decoding."""
    keys: tuple[int, ...]
    """Which of them are key pictures, by place."""


class SegmentIndex(Message, frozen=True, kw_only=True):
    """Every fragment of a segment."""

    start: Instant
    """When its first picture was captured."""
    codec: str
    """As browsers name it (RFC 6381): `avc1.64001f`."""
    init: int
    """Bytes of the initialisation section."""
    bytes: int
    """Of the whole fragments and the section before them."""
    growing: bool
    fragments: tuple[IndexedFragment, ...]
    copied: bool = False
    """True: read from the second copy, because the box could not be asked."""


class Growing(Message, frozen=True, kw_only=True):
    """The file that a camera's main stream is being written to."""

    path: str
    """Below `shelf/`; it ends on `.part`, and on `.mp4` once it is sealed."""
    start: Instant
    end: Instant
    """Of its last whole fragment."""
    bytes: int
