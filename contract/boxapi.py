"""What the centre asks a box over mutual TLS. Browsers never reach it.

`POST /live` (LiveOffer → 201 LiveAnswer) · `POST /live/{id}/renew` (a signed Renewal → 204) ·
`DELETE /live/{id}` (204) · `GET /live` (list of LiveLook) · `GET /shelf/{path}` with the header
`Xunkao-Ticket` (a playback Ticket over that path; Range as in RFC 9110) · `GET /health` ·
`GET /references/{camera}/{sha256}` (PNG, as taken) and `POST /references/{camera}` (202: take a new
candidate), each with a playback Ticket over its address without the leading slash.
`GET /fragments/{path}?from&to` (a playback Ticket over path and query; 90 kHz from the segment's
start): a `FragmentsHead`, JSON behind its length (4 bytes, big-endian), then the init section and
the fragments, exactly as they stand on the shelf. `POST /viewing` (a `ViewingOrder`; a playback
Ticket over its bytes): an MP4 that is sent while it is made; 503 `busy` while another is.
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
    start: Instant
    end: Instant
    request: str
    recipient: str
    zone: str = "UTC"
    """In which the time of day is written."""
