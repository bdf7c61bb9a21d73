"""Who may log in to the broker and what each may say and hear there: boxes and duty phones."""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from contract import topics
from contract.keys import canonical

ADMIN, CENTRE = "admin", "centre"
CONTROL = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{CONTROL}/response"

# The plugin's own figure. Our passwords are 256 random bits; stretching adds nothing to them.
_ITERATIONS = 101

_KINDS = ("publishClientSend", "publishClientReceive", "subscribePattern")

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
            # whatever a broker of the house allows by default
            *(_deny(kind) for kind in _KINDS),
        ]


_ADMIN = Rights((f"{CONTROL}/#",), (f"{CONTROL}/#",), pattern=True)
_CENTRE = Rights((f"{topics.ROOT}/#",), (f"{topics.ROOT}/#",), pattern=True)


@dataclass(frozen=True, slots=True)
class Guest:
    """A log-in that comes and goes while the broker runs; its name is also its role's."""

    user: str
    rights: Rights
    password: str = field(repr=False)

    @property
    def mark(self) -> str:
        """What stands beside it at the broker: another password or other rights, another mark.

        Of 256 random bits a hash tells nothing.
        """
        whole = canonical([self.user, self.password, self.rights.acls()])
        return f"xunkao {hashlib.sha256(whole).hexdigest()[:32]}"


def user_of(edge: str) -> str:
    """Name a box's log-in."""
    return f"edge.{edge}"


def box(edge: str, password: str) -> Guest:
    """Give a box's log-in: it speaks of itself, and hears what the centre tells it."""
    rights = Rights(
        (topics.status(edge), topics.fact(edge)),
        (topics.desired(edge), topics.holds(edge), topics.heard(edge)),
    )
    return Guest(user_of(edge), rights, password)


def centre(password: str) -> Guest:
    """Give the centre's own log-in: all of our topics, and nothing else of the broker's."""
    return Guest(CENTRE, _CENTRE, password)


def is_of_ours(user: str) -> bool:
    """True for a name that boxes and phones have here, and nobody else at the broker may."""
    return user.startswith(("edge.", "phone."))


def user_of_phone(phone: str) -> str:
    """Name a duty phone's log-in."""
    return f"phone.{phone}"


def phone(id: str, password: str) -> Guest:
    """Give a duty phone's log-in: it hears its own alerts, and answers for itself."""
    rights = Rights(
        (topics.duty_ack(id), topics.duty_presence(id)),
        (topics.duty_alert(id), topics.duty_text(id)),
    )
    return Guest(user_of_phone(id), rights, password)


def new_password() -> str:
    """Make a password nobody needs to remember."""
    return secrets.token_urlsafe(32)


def document(admin: str, centre: str, guests: Iterable[Guest]) -> dict[str, object]:
    """Write the plugin's whole file: passwords of admin and centre, and every guest."""
    who = [Guest(ADMIN, _ADMIN, admin), Guest(CENTRE, _CENTRE, centre), *guests]
    return {
        "clients": [
            {
                "username": one.user,
                "textdescription": one.mark,
                "roles": [{"rolename": one.user}],
                **_hashed(one.password),
            }
            for one in who
        ],
        "roles": [{"rolename": one.user, "acls": one.rights.acls()} for one in who],
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
    }


def adding(guest: Guest) -> list[dict[str, object]]:
    """Give the commands that make a log-in, or give it this password."""
    return [
        *removing(guest.user),
        {"command": "createRole", "rolename": guest.user, "acls": guest.rights.acls()},
        {
            "command": "createClient",
            "username": guest.user,
            "password": guest.password,
            "textdescription": guest.mark,
            "roles": [{"rolename": guest.user}],
        },
    ]


def removing(user: str) -> list[dict[str, object]]:
    """Give the commands that end a log-in and cut its connection."""
    return [
        {"command": "deleteClient", "username": user},
        {"command": "deleteRole", "rolename": user},
    ]


def _allow(kind: str, topic: str) -> Acl:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def _deny(kind: str) -> Acl:
    return {"acltype": kind, "topic": "#", "priority": -1, "allow": False}


def _hashed(password: str) -> dict[str, object]:
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return {
        "password": base64.b64encode(digest).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": _ITERATIONS,
    }
