"""What centre and duty phones say to each other. No picture, no personal data."""

from typing import Literal

from contract.clock import Instant
from contract.messages import Id, Message

AlertState = Literal["raised", "delivered", "taken", "solved", "shelved"]
Priority = Literal["high", "medium", "low"]
AckState = Literal["delivered", "read", "taken", "declined", "solved"]


class AlertTold(Message, frozen=True, kw_only=True, rename={"kind": "class"}):
    """The payload of `alert/{id}` and `duty/{phone}/alert`. A later one with the id replaces it."""

    id: Id
    kind: str
    """What is wrong: `covered`, `camera_down`, `box_lost` … Travels as `class`."""
    priority: Priority
    state: AlertState
    room: str | None
    camera: str | None
    session: str | None
    """The exam that was held there when it was raised."""
    raised_at: Instant
    score: float | None
    model: str
    """Fingerprint of the model that saw it, `exact` for arithmetic, empty where none looked."""
    text_zh: str
    text_en: str


class Ack(Message, frozen=True, kw_only=True):
    """The payload of `duty/{phone}/ack`. Who acts is whose phone it is, never said here."""

    id: Id
    state: AckState


class Presence(Message, frozen=True, kw_only=True):
    """The payload of `duty/{phone}/presence`, retained; the last will says `offline`.

    The bare words `online` and `offline` say the same.
    """

    state: Literal["online", "offline"]
