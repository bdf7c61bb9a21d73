"""The centre's own keys, and the site's leave to plan under an epoch."""

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import load_pem_x509_certificate

from contract.keys import (
    BadSignature,
    SealKey,
    Signed,
    SigningKey,
    from_base64,
    kid_of,
    open_signed,
    sign,
    to_base64,
    write_private,
)
from contract.messages import EpochGrant, Message
from contract.tls import self_signed

_SITE = "site.json"


class KeysDamaged(Exception):
    """The folder of keys is not whole; the message says what to do."""


class WrongSiteKey(Exception):
    """What was given is not this site's offline key."""


class _Site(Message, frozen=True, kw_only=True):
    """What the site's offline key left behind here."""

    public: str
    grant: Signed


@dataclass(frozen=True, slots=True)
class Grant:
    """The epoch in force, with the site's signature that boxes ask for."""

    epoch: int
    signed: Signed


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys with which the centre signs, opens and is known."""

    folder: Path
    identity: SigningKey
    plan: SigningKey
    ticket: SigningKey
    hold: SigningKey
    attest: SigningKey
    """Signs certificates."""
    seal: SealKey
    evidence: SigningKey
    """Signs evidence packages; its public half is what recipients check them with."""
    site_secret: str | None = field(default=None, repr=False)
    """The site's offline key, PEM: there once, after the very first opening, and kept nowhere."""

    @classmethod
    def open(cls, folder: Path, now: datetime, *, may_set_up: bool = True) -> "Keyring":
        """Read the keys; make all of them when the folder is empty. Raises KeysDamaged."""
        secret = None
        try:
            if not folder.exists() or not any(folder.iterdir()):
                if not may_set_up:
                    raise KeysDamaged(
                        f"{folder} has no keys yet: start the centre once (xunkao serve)"
                    )
                secret = _set_up(folder, now)
        except OSError as error:
            raise KeysDamaged(f"{folder} cannot be used: {error}") from error
        try:
            ring = cls(
                folder,
                SigningKey.load(folder / "identity.pem"),
                SigningKey.load(folder / "plan.pem"),
                SigningKey.load(folder / "ticket.pem"),
                SigningKey.load(folder / "hold.pem"),
                # made here for a site that was set up before there were certificates
                SigningKey.load_or_make(folder / "attest.pem"),
                SealKey.load(folder / "seal.key"),
                _evidence_key(folder),
                secret,
            )
            load_pem_x509_certificate(ring.certificate.encode())
            ring.grant()
        except (OSError, ValueError, BadSignature, msgspec.MsgspecError) as error:
            raise KeysDamaged(
                f"{folder} is not whole ({error}); bring it back from the backup. An emptied "
                "folder starts a new site: every box must then be enrolled again"
            ) from error
        return ring

    @property
    def certificate_path(self) -> Path:
        """The certificate by which boxes and browsers' servers know the centre, PEM."""
        return self.folder / "tls.crt"

    @property
    def key_path(self) -> Path:
        """The certificate's private key, PEM."""
        return self.folder / "tls.pem"

    @property
    def certificate(self) -> str:
        """The certificate, PEM."""
        return self.certificate_path.read_text()

    @property
    def site_public(self) -> bytes:
        """The site's offline key, public half."""
        return from_base64(self._site().public)

    def grant(self) -> Grant:
        """Give the epoch in force. Read anew each time, for `new_epoch` may run elsewhere."""
        site = self._site()
        public = from_base64(site.public)
        grant = open_signed(msgspec.json.encode(site.grant), {kid_of(public): public}, EpochGrant)
        if from_base64(grant.plan_public) != self.plan.public:
            raise BadSignature("the epoch was granted to another plan key")
        return Grant(grant.epoch, site.grant)

    def check_site_key(self, site_key: str) -> SigningKey:
        """Read the site's offline key (PEM); raises WrongSiteKey for any other."""
        key = _site_key(site_key)
        if key.public != self.site_public:
            raise WrongSiteKey("this is not the offline key of this site")
        return key

    def new_epoch(self, site_key: str, now: datetime, above: int = 0) -> int:
        """Open the next epoch with the site's offline key (PEM); gives its number.

        `above`: an epoch some box has already seen. Raises WrongSiteKey.
        """
        key = self.check_site_key(site_key)
        epoch = max(self.grant().epoch, above) + 1
        _write_site(self.folder, key, self.plan, epoch, now)
        return epoch

    def _site(self) -> _Site:
        return msgspec.json.decode((self.folder / _SITE).read_bytes(), type=_Site)


def _evidence_key(folder: Path) -> SigningKey:
    """Read the key; a site that is older than evidence packages gets one."""
    return SigningKey.load_or_make(folder / "evidence.pem")


def _set_up(folder: Path, now: datetime) -> str:
    """Make every key beside the folder, then move them there at once; gives the site's key."""
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, mode=0o700)
    for name in ("identity", "plan", "ticket", "hold", "attest", "evidence", "tls"):
        SigningKey.make().save(beside / f"{name}.pem")
    SealKey.load_or_make(beside / "seal.key")
    archive = SealKey.load_or_make(beside / "archive.key")  # may be taken to the safe
    write_private(beside / "archive.pub", to_base64(archive.public).encode())
    tls = SigningKey.load(beside / "tls.pem")
    write_private(beside / "tls.crt", self_signed(tls, "xunkao").encode())
    site = SigningKey.make()
    _write_site(beside, site, SigningKey.load(beside / "plan.pem"), 1, now)
    beside.rename(folder)
    return site.pem().decode()


def _write_site(folder: Path, site: SigningKey, plan: SigningKey, epoch: int, at: datetime) -> None:
    plan_public = to_base64(plan.public)
    grant = sign(site, EpochGrant(epoch=epoch, plan_public=plan_public, issued_at=at))
    public = to_base64(site.public)
    record = _Site(public=public, grant=msgspec.json.decode(grant, type=Signed))
    write_private(folder / _SITE, msgspec.json.encode(record))


def _site_key(pem: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise WrongSiteKey("no private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongSiteKey("not an Ed25519 key")
    return SigningKey(key)
