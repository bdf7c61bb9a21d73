"""Digest authentication with MD5, as cameras ask for it (RFC 2617, RFC 7616)."""

import hmac
import re
from dataclasses import dataclass
from hashlib import md5

_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]*))')
_REALM = "xunkao-camera"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may look."""

    user: str
    password: str


def challenge(nonce: str) -> str:
    """The value of WWW-Authenticate."""
    return f'Digest realm="{_REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'


def is_granted(
    authorization: str | None, method: str, nonce: str, credentials: Credentials
) -> bool:
    """True where the Authorization header proves knowledge of the password."""
    scheme, _, rest = (authorization or "").partition(" ")
    if scheme.lower() != "digest":
        return False
    said = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}
    if (said.get("username"), said.get("nonce")) != (credentials.user, nonce):
        return False
    due = response(said, method, credentials)
    return hmac.compare_digest(due.encode(), said.get("response", "").encode())


def response(said: dict[str, str], method: str, credentials: Credentials) -> str:
    """The response that these fields call for."""
    secret = _hash(f"{credentials.user}:{said.get('realm', '')}:{credentials.password}")
    asked = _hash(f"{method}:{said.get('uri', '')}")
    middle = [said.get("nonce", "")]
    if "qop" in said:
        middle += [said.get("nc", ""), said.get("cnonce", ""), said["qop"]]
    return _hash(":".join([secret, *middle, asked]))


def _hash(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
