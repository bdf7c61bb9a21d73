"""Accounts and log-ins, on both databases."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from orchestrator.access import Role
from orchestrator.accounts import AccountRefused, Accounts, Login, LoginRefused
from orchestrator.config import SignInConfig
from orchestrator.ledger import Ledger
from orchestrator.passwords import Passwords
from orchestrator.store import Store
from orchestrator.store.tables import logins, users
from tests.fakes.clock import ManualClock

GOOD = "correct horse battery"
RULES = SignInConfig(idle_minutes=60)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def accounts(store: Store, clock: ManualClock) -> Accounts:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return Accounts(store, clock, RULES, Passwords(cheap))


@pytest.fixture
async def chen(accounts: Accounts) -> str:
    await accounts.add_user("Chen", "陈静", GOOD, [Role.operator], "root")
    return "chen"


async def _acts(store: Store, clock: ManualClock) -> list[tuple[str, str, str]]:
    entries = await Ledger(store, clock).entries()
    return [(entry.act.actor, entry.act.action, entry.act.result) for entry in entries]


async def _refused(attempt: Awaitable[Login]) -> str:
    with pytest.raises(LoginRefused) as refused:
        await attempt
    return refused.value.code


async def test_a_person_logs_in_is_known_and_logs_out(
    accounts: Accounts, chen: str, store: Store, clock: ManualClock
) -> None:
    login = await accounts.log_in(chen, GOOD, source="10.0.0.9")
    person = await accounts.who(login.token)
    assert person == login.person
    assert person is not None
    assert (person.user, person.name, person.roles) == ("chen", "陈静", frozenset({Role.operator}))
    assert person.csrf == login.csrf
    assert await accounts.holder(person.login) == person
    await accounts.log_out(login.token)
    assert await accounts.who(login.token) is None
    assert await accounts.holder(person.login) is None
    assert await _acts(store, clock) == [
        ("root", "add_user", "ok"),
        ("chen", "log_in", "ok"),
        ("chen", "log_out", "ok"),
    ]


@pytest.mark.parametrize("typed", ["chen", " CHEN ", "ｃｈｅｎ"])
async def test_case_width_and_blanks_of_a_name_do_not_matter(
    accounts: Accounts, chen: str, typed: str
) -> None:
    assert (await accounts.log_in(typed, GOOD)).person.user == chen


async def test_neither_password_nor_token_is_in_the_database(
    accounts: Accounts, chen: str, store: Store
) -> None:
    login = await accounts.log_in(chen, GOOD)
    async with store.read() as connection:
        rows = [*await connection.execute(select(users)), *await connection.execute(select(logins))]
    assert GOOD not in str(rows)
    assert login.token not in str(rows)
    assert login.token not in repr(login)


async def test_wrong_names_and_passwords_are_refused_alike_and_written_down(
    accounts: Accounts, chen: str, store: Store, clock: ManualClock
) -> None:
    assert await _refused(accounts.log_in(chen, "wrong")) == "bad_credentials"
    assert await _refused(accounts.log_in("nobody\0", GOOD)) == "bad_credentials"
    assert (await _acts(store, clock))[1:] == [
        ("chen", "log_in", "bad_credentials"),
        ("unknown", "log_in", "bad_credentials"),
    ]


async def test_what_a_stranger_typed_as_name_is_not_kept(
    accounts: Accounts, store: Store, clock: ManualClock
) -> None:
    await _refused(accounts.log_in("my secret password", ""))
    assert "my secret" not in str(await Ledger(store, clock).entries())


async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(
    accounts: Accounts, chen: str, clock: ManualClock, store: Store
) -> None:
    for _ in range(5):
        assert await _refused(accounts.log_in(chen, "wrong")) == "bad_credentials"
    assert await _refused(accounts.log_in(chen, GOOD)) == "locked"
    assert ("system", "lock_user", "ok") in await _acts(store, clock)
    await clock.advance(15 * 60 - 1)
    assert await _refused(accounts.log_in(chen, GOOD)) == "locked"
    await clock.advance(1)
    await accounts.log_in(chen, GOOD)


async def test_a_name_that_nobody_has_locks_like_one_that_somebody_has(
    accounts: Accounts, clock: ManualClock
) -> None:
    codes = [await _refused(accounts.log_in("nobody", "wrong")) for _ in range(6)]
    assert codes == ["bad_credentials"] * 5 + ["locked"]
    await clock.advance(15 * 60)
    assert await _refused(accounts.log_in("nobody", "wrong")) == "bad_credentials"


async def test_a_lock_says_how_long(accounts: Accounts, chen: str, clock: ManualClock) -> None:
    for _ in range(5):
        await _refused(accounts.log_in(chen, "wrong"))
    await clock.advance(5 * 60)
    with pytest.raises(LoginRefused) as refused:
        await accounts.log_in(chen, GOOD)
    assert refused.value.retry_after == timedelta(minutes=10)


async def test_a_right_password_forgets_the_wrong_ones(accounts: Accounts, chen: str) -> None:
    for _ in range(2):
        for _ in range(4):
            await _refused(accounts.log_in(chen, "wrong"))
        await accounts.log_in(chen, GOOD)


async def test_attempts_at_once_do_not_slip_past_the_lock(accounts: Accounts, chen: str) -> None:
    attempts = (_refused(accounts.log_in(chen, f"wrong {n}")) for n in range(8))
    codes = await asyncio.gather(*attempts)
    assert sorted(codes) == ["bad_credentials"] * 5 + ["locked"] * 3


async def test_an_unknown_user_costs_what_a_known_one_costs(store: Store) -> None:
    hasher = PasswordHasher(time_cost=2, memory_cost=16_384, parallelism=1)
    accounts = Accounts(store, ManualClock(), RULES, Passwords(hasher))
    await accounts.add_user("chen", "陈静", GOOD, [Role.operator], "root")
    await _refused(accounts.log_in("nobody", "wrong"))  # makes the hash of nobody
    known = await _quickest(lambda: _refused(accounts.log_in("chen", "wrong")))
    unknown = await _quickest(lambda: _refused(accounts.log_in("nobody", "wrong")))
    assert unknown > known / 3


async def _quickest(attempt: Callable[[], Awaitable[str]]) -> float:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        await attempt()
        took.append(time.perf_counter() - began)
    return min(took)


async def test_a_second_log_in_ends_the_first_on_the_same_kind_of_device(
    accounts: Accounts, chen: str
) -> None:
    first = await accounts.log_in(chen, GOOD)
    phone = await accounts.log_in(chen, GOOD, device="phone")
    second = await accounts.log_in(chen, GOOD)
    assert await accounts.who(first.token) is None
    assert await accounts.who(phone.token) is not None
    assert await accounts.who(second.token) is not None


async def test_a_log_in_left_alone_ends_and_one_in_use_goes_on(
    accounts: Accounts, chen: str, clock: ManualClock
) -> None:
    login = await accounts.log_in(chen, GOOD)
    for _ in range(3):
        await clock.advance(59 * 60)
        assert await accounts.who(login.token) is not None
    await clock.advance(60 * 60 + 1)
    assert await accounts.who(login.token) is None
    clock.step(-timedelta(minutes=30))
    assert await accounts.who(login.token) is None


async def test_disabling_ends_the_log_ins_and_allows_no_more(
    accounts: Accounts, chen: str, store: Store, clock: ManualClock
) -> None:
    login = await accounts.log_in(chen, GOOD)
    await accounts.disable("Chen", "root", "has left")
    assert await accounts.who(login.token) is None
    assert await _refused(accounts.log_in(chen, GOOD)) == "bad_credentials"
    assert [account.disabled for account in await accounts.accounts()] == [True]
    assert ("root", "disable_user", "ok") in await _acts(store, clock)


async def test_a_new_password_ends_the_log_ins_and_the_lock(accounts: Accounts, chen: str) -> None:
    login = await accounts.log_in(chen, GOOD)
    for _ in range(5):
        await _refused(accounts.log_in(chen, "wrong"))
    await accounts.set_password(chen, "another good one", "root")
    assert await accounts.who(login.token) is None
    assert await _refused(accounts.log_in(chen, GOOD)) == "bad_credentials"
    await accounts.log_in(chen, "another good one")


async def test_an_unknown_token_is_nobody_and_ends_nothing(accounts: Accounts) -> None:
    assert await accounts.who("") is None
    assert await accounts.who("x" * 43) is None
    await accounts.log_out("x" * 43)


@pytest.mark.parametrize(
    ("user", "password", "roles", "code"),
    [
        ("CHEN", GOOD, [Role.patrol], "user_exists"),
        ("li", "short", [Role.patrol], "weak_password"),
        ("", GOOD, [Role.patrol], "bad_user"),
        ("a\nb", GOOD, [Role.patrol], "bad_user"),
        ("x" * 65, GOOD, [Role.patrol], "bad_user"),
        ("li", GOOD, [], "roles_exclude"),
        ("li", GOOD, [Role.sys_admin, Role.operator], "roles_exclude"),
        ("li", GOOD, [Role.sys_admin, Role.auditor], "roles_exclude"),
    ],
)
async def test_an_account_is_refused(
    accounts: Accounts, chen: str, user: str, password: str, roles: list[Role], code: str
) -> None:
    with pytest.raises(AccountRefused) as refused:
        await accounts.add_user(user, "李建国", password, roles, "root")
    assert refused.value.code == code
    assert [account.user for account in await accounts.accounts()] == [chen]


async def test_there_is_no_account_at_first(accounts: Accounts, store: Store) -> None:
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(users)) == 0
    assert await accounts.accounts() == []


async def test_changing_nobody_is_refused(accounts: Accounts) -> None:
    with pytest.raises(AccountRefused, match="no user li"):
        await accounts.disable("li", "root", "left")
