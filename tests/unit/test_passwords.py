"""Which passwords will do, and their hashes."""

import pytest
from argon2 import PasswordHasher

from orchestrator.passwords import Passwords, weakness


@pytest.mark.parametrize(
    "password", ["correct horse", "Tr0ubador", "巡考值守Aa1！", "x7#kq-2pM", "abcdefghijkl"]
)
def test_a_good_password_will_do(password: str) -> None:
    assert weakness(password, "chen") is None


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", "at least"),
        ("Aa1!xyz", "at least"),
        ("abcdefghijk", "at least"),
        ("abcdef123456"[:11], "at least"),
        ("Passw0rd!", "easy to guess"),
        ("PASSWORD1234", "easy to guess"),
        ("aaaaaaaaaaaa", "easy to guess"),
        ("xx-chen-2026-xx", "the user's name"),
        ("x7#kq-2pM" * 50, "at most"),
    ],
)
def test_a_poor_password_is_refused_with_a_reason(password: str, complaint: str) -> None:
    assert complaint in str(weakness(password, "Chen"))


async def test_a_hash_is_argon2id_salted_and_fits_its_password_alone() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    one, other = await passwords.hash("secret"), await passwords.hash("secret")
    assert one.startswith("$argon2id$")
    assert one != other
    assert await passwords.verify(one, "secret")
    assert not await passwords.verify(one, "Secret")


async def test_nobody_has_no_password_not_even_an_empty_one() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    assert not await passwords.verify(None, "")
