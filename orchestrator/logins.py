"""Who may log in to the broker and what each may say and hear there."""

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from contract import topics

ADMIN, CENTRE = "admin", "centre"
CONTROL = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{CONTROL}/response"

# The plugin's own figure. Our passwords are 256 random bits; stretching adds nothing to them.
_ITERATIONS = 101

Acl = dict[str, object]


@dataclass(frozen=True, slots=True)
class Rights:
    """Literal topics, or patterns for the centre alone."""

    send: tuple[str, ...]
    receive: tuple[str, ...]
    pattern: bool = False

    def acls(self) -> list[Acl]:
        """Write them as the dynamic-security plugin reads them."""
        subscribe = "subscribePattern" if self.pattern else "subscribeLiteral"
        return [
            *(_allow("publishClientSend", topic) for topic in self.send),
            *(_allow("publishClientReceive", topic) for topic in self.receive),
            *(_allow(subscribe, topic) for topic in self.receive),
        ]


_ADMIN = Rights((f"{CONTROL}/#",), (f"{CONTROL}/#",), pattern=True)
_CENTRE = Rights((f"{topics.ROOT}/#",), (f"{topics.ROOT}/#",), pattern=True)


def user_of(edge: str) -> str:
    """Name a box's log-in, which is also its role's name."""
    return f"edge.{edge}"


def rights_of(edge: str) -> Rights:
    """Give what a box may: speak of itself, and hear what the centre tells it."""
    return Rights(
        (topics.status(edge), topics.fact(edge)),
        (topics.desired(edge), topics.holds(edge), topics.heard(edge)),
    )


def new_password() -> str:
    """Make a password nobody needs to remember."""
    return secrets.token_urlsafe(32)


def document(admin: str, centre: str, edges: Mapping[str, str]) -> dict[str, object]:
    """Write the plugin's whole file: passwords of admin, centre and each box (id to password)."""
    who = [(ADMIN, admin, _ADMIN), (CENTRE, centre, _CENTRE)]
    who += [(user_of(edge), password, rights_of(edge)) for edge, password in edges.items()]
    return {
        "clients": [
            {"username": user, "roles": [{"rolename": user}], **_hashed(password)}
            for user, password, _ in who
        ],
        "roles": [{"rolename": user, "acls": rights.acls()} for user, _, rights in who],
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
    }


def adding(edge: str, password: str) -> list[dict[str, object]]:
    """Give the commands that make a box's log-in, or give it this password."""
    user = user_of(edge)
    return [
        *removing(edge),
        {"command": "createRole", "rolename": user, "acls": rights_of(edge).acls()},
        {
            "command": "createClient",
            "username": user,
            "password": password,
            "roles": [{"rolename": user}],
        },
    ]


def removing(edge: str) -> list[dict[str, object]]:
    """Give the commands that end a box's log-in and cut its connection."""
    user = user_of(edge)
    return [
        {"command": "deleteClient", "username": user},
        {"command": "deleteRole", "rolename": user},
    ]


def _allow(kind: str, topic: str) -> Acl:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def _hashed(password: str) -> dict[str, object]:
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return {
        "password": base64.b64encode(digest).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": _ITERATIONS,
    }
