"""How a camera is told who we are: Basic (RFC 7617) and Digest (RFC 7616)."""

import base64
import hashlib
import re
from dataclasses import dataclass, field

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password at a camera."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a camera asks for in `WWW-Authenticate`."""

    scheme: str
    realm: str
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = "MD5"
    quality: str = ""
    stale: bool = False


def strongest(headers: list[str]) -> Challenge | None:
    """Choose among a camera's challenges: SHA-256 before MD5 before Basic; None: none we know."""
    known = [challenge for header in headers if (challenge := parse(header)) is not None]
    return max(known, key=_strength, default=None)


def _strength(challenge: Challenge) -> int:
    return {"basic": 0, "digest": 1}[challenge.scheme] + (challenge.algorithm == "SHA-256")


def parse(header: str) -> Challenge | None:
    """Read one challenge; None for a scheme or an algorithm we do not speak."""
    scheme, _, rest = header.strip().partition(" ")
    pairs = {match[1].lower(): match[2] or match[3] or "" for match in _PAIR.finditer(rest)}
    realm = pairs.get("realm", "")
    if scheme.lower() == "basic":
        return Challenge("basic", realm)
    algorithm = pairs.get("algorithm", "MD5").upper()
    if scheme.lower() != "digest" or algorithm not in _HASHES:
        return None
    qualities = [word.strip().lower() for word in pairs.get("qop", "").split(",")]
    return Challenge(
        scheme="digest",
        realm=realm,
        nonce=pairs.get("nonce", ""),
        opaque=pairs.get("opaque"),
        algorithm=algorithm,
        quality="auth" if "auth" in qualities else "",
        stale=pairs.get("stale", "").lower() == "true",
    )


def authorization(
    challenge: Challenge, login: Login, method: str, uri: str, count: int, cnonce: str
) -> str:
    """Answer a challenge for one request; `count` is how often its nonce was used, from 1."""
    if challenge.scheme == "basic":
        both = f"{login.user}:{login.password}".encode()
        return "Basic " + base64.b64encode(both).decode()

    def digest(text: str) -> str:
        return _HASHES[challenge.algorithm](text.encode()).hexdigest()

    secret = digest(f"{login.user}:{challenge.realm}:{login.password}")
    request = digest(f"{method}:{uri}")
    nonce = challenge.nonce
    parts = {
        "username": login.user,
        "realm": challenge.realm,
        "nonce": nonce,
        "uri": uri,
    }
    tail = f", algorithm={challenge.algorithm}"
    if challenge.quality:
        times = f"{count:08x}"
        response = digest(f"{secret}:{nonce}:{times}:{cnonce}:auth:{request}")
        tail += f', qop=auth, nc={times}, cnonce="{cnonce}"'
    else:
        response = digest(f"{secret}:{nonce}:{request}")
    parts["response"] = response
    if challenge.opaque is not None:
        parts["opaque"] = challenge.opaque
    quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in parts.items())
    return f"Digest {quoted}{tail}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
