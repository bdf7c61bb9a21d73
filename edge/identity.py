"""Who this box is and whom it believes: its keys and what it pinned at enrolment."""

import base64
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contract.bus import BrokerAddress
from contract.enrolment import BrokerLogin, Enrolled
from contract.keys import SealKey, SigningKey, kid_of, write_private
from contract.tls import self_signed


class NotEnrolled(Exception):
    """The box has no centre yet."""


@dataclass(frozen=True, slots=True)
class BoxKeys:
    """The box's own keys, made on the box."""

    folder: Path
    signing: SigningKey
    sealing: SealKey

    @property
    def certificate(self) -> Path:
        """Its certificate file."""
        return self.folder / "box.crt"

    @property
    def private(self) -> Path:
        """Its private key file."""
        return self.folder / "box.pem"


def box_keys(folder: Path, edge: str) -> BoxKeys:
    """Read the box's keys; make them at the first call."""
    signing = SigningKey.load_or_make(folder / "box.pem")
    sealing = SealKey.load_or_make(folder / "seal.key")
    if not (folder / "box.crt").exists():
        write_private(folder / "box.crt", self_signed(signing, edge).encode())
    return BoxKeys(folder, signing, sealing)


def pinned(folder: Path) -> Enrolled:
    """Read what was pinned; raises NotEnrolled."""
    try:
        return msgspec.json.decode((folder / "centre.json").read_bytes(), type=Enrolled)
    except FileNotFoundError as error:
        raise NotEnrolled(
            "this box is not enrolled; ask the centre for a code (xunkao edge invite ID), "
            "then: xunkao-edge enrol --centre URL --code CODE"
        ) from error


def trusted_for(public: str) -> dict[str, bytes]:
    """Give the key set that holds one pinned key (base64), by its kid."""
    raw = base64.b64decode(public)
    return {kid_of(raw): raw}


def broker_of(enrolled: Enrolled, keys: BoxKeys) -> BrokerAddress:
    """Open the sealed log-in at the broker; raises SealBroken."""
    login = msgspec.json.decode(keys.sealing.open(enrolled.broker), type=BrokerLogin)
    return BrokerAddress(
        login.host, login.port, login.user, login.password, login.certificate, login.named
    )
