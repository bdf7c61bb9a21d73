"""What the centre asks a box over mutual TLS. Browsers never reach it.

`POST /live` (LiveOffer → 201 LiveAnswer) · `POST /live/{id}/renew` (a signed Renewal → 204) ·
`DELETE /live/{id}` (204) · `GET /live` (list of LiveLook) · `GET /shelf/{path}` with the header
`Xunkao-Ticket` (a playback Ticket over that path; Range as in RFC 9110) · `GET /health` ·
`GET /anchors` (an AnchorFile: the box's whole chain of anchors) ·
`GET /references/{camera}/{sha256}` (PNG, as taken) and `POST /references/{camera}` (202: take a new
candidate), each with a playback Ticket over its address without the leading slash.
Refusals are 403 `{"code": …}` with a TicketRefused code, `used` (single use), `no_camera`,
`too_many` (tracks) or `other_look` (renewal); 400 `bad_offer`, 404 `no_such`, 503 `journal_busy`
(a look that cannot be told does not begin). `path` is a segment's path below `shelf/`, without it.
"""

from contract.messages import Message, Stream

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
