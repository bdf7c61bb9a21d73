"""Accounts, as administrators see and make them."""

from orchestrator.access import Action, Role
from web.call import Call
from web.endpoint import Endpoint, get, post
from web.paging import page
from web.shapes import NewUser, Page, Paging, User


async def users(call: Call, asked: Paging) -> Page[User]:
    """List the accounts by name."""
    found = [
        User(
            user=account.user,
            name=account.name,
            roles=tuple(sorted(account.roles)),
            disabled=account.disabled,
        )
        for account in await call.centre.accounts.accounts()
    ]
    return page(found, asked, key=lambda user: user.user)


async def add_user(call: Call, asked: NewUser) -> User:
    """Make an account."""
    made = await call.centre.accounts.add_user(
        asked.user,
        asked.name,
        asked.password,
        [Role(role) for role in asked.roles],
        by=call.person.user,
        source=call.source,
    )
    return User(user=made.user, name=made.name, roles=tuple(sorted(made.roles)))


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/users",
        users,
        query=Paging,
        gives=Page[User],
        needs=Action.see_users,
        summary="Accounts",
    ),
    post(
        "/users",
        add_user,
        takes=NewUser,
        gives=User,
        needs=Action.manage_users,
        status=201,
        summary="Make an account",
        errors=("conflict", "bad_request"),
    ),
)
