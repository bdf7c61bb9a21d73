"""A box that was enrolled by hand, for tests that play the centre."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contract.anchors import Anchor
from contract.enrolment import BrokerLogin, Enrolled
from contract.keys import Signed, SigningKey, seal, sign, write_private
from contract.messages import (
    Camera,
    Cancelled,
    DesiredState,
    Dispatch,
    EpochGrant,
    HoldList,
    HoldNotice,
    Order,
    Source,
)
from contract.tls import self_signed
from edge.config import EdgeConfig
from edge.identity import BoxKeys, box_keys


@dataclass(frozen=True)
class Centre:
    """The centre's keys as a test holds them."""

    identity: SigningKey
    site: SigningKey
    plan: SigningKey
    ticket: SigningKey
    hold: SigningKey

    @classmethod
    def make(cls) -> "Centre":
        """Make all keys anew."""
        return cls(*(SigningKey.make() for _ in range(5)))

    def dispatch(self, state: DesiredState, anchor: Signed | None = None) -> bytes:
        """Sign a desired state and the grant of its epoch."""
        grant = EpochGrant(
            epoch=state.epoch, plan_public=_b64(self.plan.public), issued_at=state.issued_at
        )
        return msgspec.json.encode(
            Dispatch(
                state=_signed(self.plan, state), grant=_signed(self.site, grant), anchor=anchor
            )
        )

    def holds(self, found: HoldList) -> bytes:
        """Sign a hold list and the grant of its epoch."""
        grant = EpochGrant(
            epoch=found.epoch, plan_public=_b64(self.plan.public), issued_at=found.issued_at
        )
        return msgspec.json.encode(
            HoldNotice(list=_signed(self.hold, found), grant=_signed(self.site, grant))
        )


def anchor_of(centre: Centre, row: int, at: datetime) -> Signed:
    """The centre's word on its ledger's head."""
    return _signed(centre.identity, Anchor(row=row, hash=f"{row:064x}", at=at))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _signed(key: SigningKey, document: object) -> Signed:
    return msgspec.json.decode(sign(key, document), type=Signed)


def enrolled_box(
    folder: Path, centre: Centre, *, port: int = 1, user: str = "", password: str = ""
) -> tuple[EdgeConfig, BoxKeys]:
    """Make a box's data folder as enrolment leaves it; gives its configuration and keys."""
    config = EdgeConfig(
        edge="box-1",
        data=folder,
        listen="127.0.0.1:0",
        url="https://127.0.0.1:1",
        media_addresses=("127.0.0.1",),
        camera_subnets=("127.0.0.0/8",),
        minimum_free_bytes=1,
    )
    keys = box_keys(config.keys, config.edge)
    login = BrokerLogin(host="127.0.0.1", port=port, user=user, password=password)
    pinned = Enrolled(
        edge=config.edge,
        identity_public=_b64(centre.identity.public),
        site_public=_b64(centre.site.public),
        ticket_public=_b64(centre.ticket.public),
        hold_public=_b64(centre.hold.public),
        certificate=self_signed(centre.identity, "centre"),
        broker=seal(keys.sealing.public, msgspec.json.encode(login)),
        at=datetime.now(UTC),
    )
    write_private(config.keys / "centre.json", msgspec.json.encode(pinned))
    return config, keys


def state_for(
    keys: BoxKeys,
    sources: dict[str, Source],
    *,
    revision: int = 1,
    epoch: int = 1,
    start: datetime | None = None,
    length: timedelta = timedelta(hours=1),
    cancelled: tuple[Cancelled, ...] = (),
) -> DesiredState:
    """One running order for each camera."""
    now = datetime.now(UTC)
    begins = start or now - timedelta(minutes=1)
    return DesiredState(
        edge="box-1",
        epoch=epoch,
        revision=revision,
        issued_at=now,
        cameras=tuple(
            Camera(
                id=name, room="A101", sealed=seal(keys.sealing.public, msgspec.json.encode(source))
            )
            for name, source in sources.items()
        ),
        orders=tuple(
            Order(id=f"s1.{name}", camera=name, session="s1", start=begins, end=begins + length)
            for name in sources
        ),
        cancelled=cancelled,
    )


def toml_of(config: EdgeConfig) -> str:
    """The configuration as a file's text."""
    settings = {
        "edge": config.edge,
        "data": str(config.data),
        "listen": config.listen,
        "url": config.url,
        "media_addresses": list(config.media_addresses),
        "camera_subnets": list(config.camera_subnets),
        "segment_seconds": config.segment_seconds,
        "minimum_free_bytes": config.minimum_free_bytes,
    }
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
