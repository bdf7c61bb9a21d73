"""Who people are to us: values, and what a name and a password must be."""

import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from orchestrator.access import Role, is_compatible
from orchestrator.passwords import weakness

Device = Literal["console", "phone", "office"]

_USER_LONGEST = 64


class LoginRefused(Exception):
    """Nobody was logged in; `code` is `bad_credentials` or `locked`."""

    def __init__(self, code: str, retry_after: timedelta = timedelta()) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class AccountRefused(Exception):
    """An account was not made or changed; `code` says why, the message what would do.

    Codes: `bad_user`, `user_exists`, `no_such_user`, `weak_password`, `roles_exclude`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `login` and `csrf` are those of the log-in by which the person came."""

    id: str
    user: str
    name: str
    roles: frozenset[Role]
    login: str = ""
    csrf: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A log-in that just began. The token is given once and kept nowhere."""

    token: str = field(repr=False)
    person: Person
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it."""

    id: str
    user: str
    name: str
    roles: frozenset[Role]
    disabled: bool


def plain(user: str) -> str:
    """Give the one spelling of what people type: width, case and blanks do not matter."""
    return unicodedata.normalize("NFKC", user).replace("\0", "").strip().casefold()


def check_new(person: Person, password: str) -> None:
    """Return when such an account may be made; raise AccountRefused."""
    if not person.user.isprintable() or not 0 < len(person.user) <= _USER_LONGEST:
        raise AccountRefused("bad_user", f"a user's name has 1 to {_USER_LONGEST} characters")
    if not is_compatible(person.roles):
        raise AccountRefused(
            "roles_exclude", "at least one role; sys_admin and auditor each stand alone"
        )
    check_password(password, person.user)


def check_password(password: str, user: str) -> None:
    """Return when this may be the user's new password; raise AccountRefused."""
    if complaint := weakness(password, user):
        raise AccountRefused("weak_password", f"password: {complaint}")
