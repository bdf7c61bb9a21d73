"""Tickets: the centre's leave, to one box, for one offer, for one look."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from contract.clock import Instant
from contract.keys import BadSignature, Signed, SigningKey, open_signed, sign
from contract.messages import Id, Message, Stream

START_WITHIN = timedelta(seconds=60)
"""How long after signing a look may begin (DESIGN §7)."""


class Track(Message, frozen=True, kw_only=True):
    """One camera's stream in a look."""

    camera: Id
    stream: Stream = "sub"


class Ticket(Message, frozen=True, kw_only=True):
    """Leave for one look. Signed with the ticket key; goes from centre to box only."""

    edge: Id
    user: str
    session: str
    """The log-in session at the centre."""
    tracks: tuple[Track, ...]
    purpose: Literal["live", "playback"]
    offer_sha256: str
    """Hex SHA-256 of the SDP offer, or of the shelf path for playback."""
    jti: str
    """Single use."""
    start_by: Instant
    view_until: Instant


class Renewal(Message, frozen=True, kw_only=True):
    """The same look, longer. Signed with the ticket key."""

    jti: str
    view_until: Instant


class TicketRefused(Exception):
    """A ticket gives no leave for what was asked; `code` says why, stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sha256_hex(text: str) -> str:
    """Hex SHA-256 of the UTF-8 bytes of an offer or a shelf path."""
    return hashlib.sha256(text.encode()).hexdigest()


def issue(key: SigningKey, ticket: Ticket) -> str:
    """Sign a ticket; gives the JSON of a `Signed`."""
    return sign(key, ticket).decode()


def check(
    signed: str | bytes | Signed,
    trusted: Mapping[str, bytes],
    *,
    edge: str,
    purpose: str,
    what: str,
    now: datetime,
) -> Ticket:
    """Give the ticket when it is good for this box, purpose and offer (or path) now.

    `what` is the SDP offer or the shelf path itself. Raises TicketRefused with code `forged`,
    `other_box`, `other_purpose`, `other_offer` or `late`. Single use is the caller's to keep.
    """
    raw = msgspec.json.encode(signed) if isinstance(signed, Signed) else signed
    try:
        ticket = open_signed(raw.encode() if isinstance(raw, str) else raw, trusted, Ticket)
    except BadSignature as error:
        raise TicketRefused("forged") from error
    if ticket.edge != edge:
        raise TicketRefused("other_box")
    if ticket.purpose != purpose:
        raise TicketRefused("other_purpose")
    if ticket.offer_sha256 != sha256_hex(what):
        raise TicketRefused("other_offer")
    if now > ticket.start_by or now >= ticket.view_until:
        raise TicketRefused("late")
    if ticket.start_by - now > START_WITHIN + timedelta(seconds=5):
        raise TicketRefused("late")
    return ticket
