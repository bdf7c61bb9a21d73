"""Ed25519 keys: who said it; and sealed boxes: who alone may read it."""

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

T = TypeVar("T")

RAW = serialization.Encoding.Raw
RAW_PUBLIC = serialization.PublicFormat.Raw
_SEAL_CONTEXT = b"xunkao seal v1"


class BadSignature(Exception):
    """A signed thing was changed, or signed by somebody we do not trust for it."""


class SealBroken(Exception):
    """A sealed text was not meant for this key, or was changed."""


def kid_of(public: bytes) -> str:
    """Name a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def fingerprint(public: bytes) -> str:
    """Give the whole SHA-256 of a public key in hex, for people and codes to compare."""
    return hashlib.sha256(public).hexdigest()


def canonical(value: object) -> bytes:
    """Encode to JSON bytes that are the same for the same value: keys sorted, no white space."""
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def to_base64(data: bytes) -> str:
    """Write bytes as they stand in our JSON."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Read what `to_base64` wrote; raises BadSignature for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadSignature("not base64") from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 private key (RFC 8032)."""

    private: Ed25519PrivateKey

    @classmethod
    def make(cls) -> "SigningKey":
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a key that `save` wrote; raises FileNotFoundError or ValueError."""
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        return cls(key)

    @classmethod
    def load_or_make(cls, path: Path) -> "SigningKey":
        """Read the key at `path`; make and keep one there when there is none."""
        if path.exists():
            return cls.load(path)
        key = cls.make()
        key.save(path)
        return key

    def pem(self) -> bytes:
        """Give the private key as PKCS#8 PEM."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def save(self, path: Path) -> None:
        """Write the key for its owner alone (0600), whole or not at all."""
        write_private(path, self.pem())

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes(RAW, RAW_PUBLIC)

    @property
    def kid(self) -> str:
        """The key's name."""
        return kid_of(self.public)

    def sign(self, data: bytes) -> bytes:
        """Give the 64-byte signature over `data`."""
        return self.private.sign(data)


def verify(public: bytes, signature: bytes, data: bytes) -> None:
    """Return when `signature` over `data` is `public`'s; raise BadSignature otherwise."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature does not fit") from error


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document with its signature: the exact bytes that were signed, never re-encoded."""

    kid: str
    body: str
    """The document, JSON."""
    sig: str
    """Base64 of the Ed25519 signature over the UTF-8 bytes of `body`."""


def sign(key: SigningKey, document: object) -> bytes:
    """Encode and sign a document; gives the JSON of a `Signed`."""
    body = canonical(document)
    return msgspec.json.encode(
        Signed(key.kid, body.decode(), base64.b64encode(key.sign(body)).decode())
    )


def open_signed(data: bytes, trusted: Mapping[str, bytes], kind: type[T]) -> T:
    """Decode a document signed by one of the `trusted` keys (kid to 32 public bytes).

    Raises BadSignature for an unknown key, a wrong signature or a body of another form.
    """
    try:
        signed = msgspec.json.decode(data, type=Signed)
        public = trusted[signed.kid]
        verify(public, base64.b64decode(signed.sig, validate=True), signed.body.encode())
        return msgspec.json.decode(signed.body, type=kind)
    except KeyError as error:
        raise BadSignature(f"no trusted key {error}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadSignature(f"not a signed {kind.__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class SealKey:
    """An X25519 private key (RFC 7748) to which small secrets are sealed."""

    private: X25519PrivateKey

    @classmethod
    def make(cls) -> "SealKey":
        """Make a new key."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SealKey":
        """Read the 32 raw bytes at `path`; raises FileNotFoundError or ValueError."""
        return cls(X25519PrivateKey.from_private_bytes(path.read_bytes()))

    @classmethod
    def load_or_make(cls, path: Path) -> "SealKey":
        """Read the 32 raw bytes at `path`; make and keep a key there when there is none."""
        if path.exists():
            return cls.load(path)
        key = cls.make()
        write_private(path, key.private.private_bytes_raw())
        return key

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    def open(self, sealed: str) -> bytes:
        """Read what `seal` sealed to this key; raises SealBroken."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            sender = X25519PublicKey.from_public_bytes(raw[:32])
            key = _seal_key(self.private.exchange(sender), raw[:32], self.public)
            return ChaCha20Poly1305(key).decrypt(bytes(12), raw[32:], _SEAL_CONTEXT)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("sealed to another key, or changed") from error


def seal(public: bytes, secret: bytes) -> str:
    """Seal `secret` so that only the owner of the X25519 key `public` reads it.

    Ephemeral X25519, HKDF-SHA256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439); base64 of the ephemeral
    public key and the ciphertext. The nonce may be zero because every key is used once.
    """
    once = X25519PrivateKey.generate()
    mine = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    box = ChaCha20Poly1305(_seal_key(shared, mine, public)).encrypt(
        bytes(12), secret, _SEAL_CONTEXT
    )
    return base64.b64encode(mine + box).decode()


def _seal_key(shared: bytes, sender: bytes, receiver: bytes) -> bytes:
    kdf = HKDF(hashes.SHA256(), 32, salt=sender + receiver, info=_SEAL_CONTEXT)
    return kdf.derive(shared)


def write_private(path: Path, data: bytes) -> None:
    """Write a file for its owner alone (0600): beside its place, flushed, then renamed into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this call alone: two threads of a process may write the same file.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
