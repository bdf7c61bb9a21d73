"""Whose phone it is: the only word on who acts when a phone speaks."""

from sqlalchemy import or_, select

from orchestrator.access import Role
from orchestrator.people import Person
from orchestrator.store import Store
from orchestrator.store.tables import logins, phones, user_roles, users


async def holder_of(store: Store, phone: str) -> Person | None:
    """Give the person of a phone while its log-in and account last."""
    query = (
        select(users.c.id, users.c.user, users.c.name, phones.c.login)
        .join(phones, phones.c.user_id == users.c.id)
        .outerjoin(logins, logins.c.id == phones.c.login)
        .where(
            phones.c.id == phone,
            phones.c.ended_at.is_(None),
            users.c.disabled_at.is_(None),
            or_(phones.c.login.is_(None), logins.c.ended_at.is_(None)),
        )
    )
    async with store.read() as connection:
        row = (await connection.execute(query)).first()
        if row is None:
            return None
        held = select(user_roles.c.role).where(user_roles.c.user_id == row.id)
        roles = frozenset(Role(role) for role in await connection.scalars(held))
    return Person(row.id, row.user, row.name, roles, row.login or "")
