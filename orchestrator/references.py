"""Reference views: what a camera should see, taken at the box, approved by a person."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, insert, select

from contract.boxapi import TICKET_HEADER
from contract.clock import Clock
from contract.keys import SigningKey
from contract.ticket import START_WITHIN, Ticket, Track, issue, sha256_hex
from orchestrator.accounts import Person
from orchestrator.boxes import Boxes
from orchestrator.events import Events
from orchestrator.ledger import Act, Ledger, append
from orchestrator.store import Store
from orchestrator.store.tables import (
    approved_references,
    cameras,
    reference_views,
    rooms,
    users,
)

_LOOK_FOR = timedelta(minutes=2)


class ReferenceRefused(Exception):
    """A reference view is not shown, taken or approved; `code` is `no_such` or `box_refused`."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reference:
    """How it stands with a camera's reference."""

    camera: str
    room: str
    room_name: str
    state: Literal["none", "candidate", "approved"]
    sha256: str | None
    taken_at: datetime | None
    approved: str | None
    approved_by: str | None
    approved_at: datetime | None


class References:
    """Lists, shows, takes and approves reference views."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        boxes: Boxes,
        ticket_key: SigningKey,
        events: Events,
        clock: Clock,
        on_approved: Callable[[], None],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._boxes = boxes
        self._key = ticket_key
        self._events = events
        self._clock = clock
        self._on_approved = on_approved

    async def list(self) -> list[Reference]:
        """Give every camera's reference, by camera: a view that waits goes before the approved."""
        a = approved_references.c
        query = (
            select(
                cameras.c.id,
                cameras.c.room,
                rooms.c.name,
                a.sha256,
                a.approved_at,
                users.c.name.label("approved_by"),
            )
            .join(rooms, rooms.c.id == cameras.c.room)
            .outerjoin(approved_references, a.camera == cameras.c.id)
            .outerjoin(users, users.c.id == a.approved_by)
            .order_by(cameras.c.id)
        )
        v = reference_views.c
        async with self._store.read() as connection:
            known = (await connection.execute(query)).all()
            views = await connection.execute(select(v.camera, v.sha256, v.taken_at))
            newest = {
                row.camera: row for row in sorted(views, key=lambda row: (row.taken_at, row.sha256))
            }
        found = []
        for row in known:
            view = newest.get(row.id)
            waits = view is not None and (
                row.sha256 is None
                or (view.sha256 != row.sha256 and view.taken_at > row.approved_at)
            )
            is_approved = row.sha256 is not None and not waits
            found.append(
                Reference(
                    camera=row.id,
                    room=row.room,
                    room_name=row.name,
                    state="candidate" if waits else "approved" if is_approved else "none",
                    sha256=view.sha256 if waits and view is not None else row.sha256,
                    taken_at=view.taken_at if view is not None else None,
                    approved=row.sha256,
                    approved_by=row.approved_by,
                    approved_at=row.approved_at,
                )
            )
        return found

    async def picture(
        self, person: Person, camera: str, sha256: str = "", source: str = ""
    ) -> bytes:
        """Fetch a view from its box, PNG; raises ReferenceRefused or BoxUnreachable."""
        wanted = sha256 or await self._shown(camera)
        act = Act(person.user, "see_reference", f"{camera} {wanted[:12]}".strip(), source=source)
        v = reference_views.c
        query = select(v.sha256).where(v.camera == camera, v.sha256 == wanted)
        async with self._store.read() as connection:
            known = (await connection.scalars(query)).first()
        if known is None:
            await self._ledger.record(replace(act, result="no_such"))
            raise ReferenceRefused("no_such")
        await self._ledger.record(act)
        path = f"references/{camera}/{known}"
        return await self._ask(person, camera, "GET", path, act)

    async def take(self, person: Person, camera: str, source: str = "") -> None:
        """Have the box take a new view; raises ReferenceRefused or BoxUnreachable."""
        act = Act(person.user, "take_reference", camera, source=source)
        await self._ledger.record(act)
        await self._ask(person, camera, "POST", f"references/{camera}", act)

    async def approve(self, person: Person, camera: str, sha256: str, source: str = "") -> None:
        """Compare the camera with this view from now on; raises ReferenceRefused."""
        now = self._clock.now()
        v = reference_views.c
        known = (
            select(v.sha256)
            .join(cameras, cameras.c.id == v.camera)
            .where(v.camera == camera, v.sha256 == sha256)
        )
        act = Act(person.user, "approve_reference", f"{camera} {sha256[:12]}", source=source)
        async with self._store.write() as connection:
            is_known = (await connection.scalars(known)).first() is not None
            await append(connection, act if is_known else replace(act, result="no_such"), now)
            if is_known:
                mine = approved_references.c.camera == camera
                await connection.execute(delete(approved_references).where(mine))
                await connection.execute(
                    insert(approved_references).values(
                        camera=camera, sha256=sha256, approved_by=person.id, approved_at=now
                    )
                )
        if not is_known:
            raise ReferenceRefused("no_such", "the box told of no such view")
        self._on_approved()
        self._events.publish("reference", camera, {"state": "approved", "sha256": sha256}, now)

    async def _shown(self, camera: str) -> str:
        for reference in await self.list():
            if reference.camera == camera:
                return reference.sha256 or ""
        return ""

    async def _ask(self, person: Person, camera: str, method: str, path: str, act: Act) -> bytes:
        async with self._store.read() as connection:
            query = select(cameras.c.edge).where(cameras.c.id == camera)
            edge = (await connection.scalars(query)).first()
        if edge is None:
            raise ReferenceRefused("no_such")
        headers = {TICKET_HEADER: issue(self._key, self._ticket(person, edge, camera, path))}
        async with self._boxes.ask(edge, method, f"/{path}", headers=headers) as response:
            if response.status >= 300:
                code = "no_such" if response.status == 404 else "box_refused"
                await self._ledger.record(replace(act, result=code))
                raise ReferenceRefused(code, f"the box answered {response.status}")
            return await response.read()

    def _ticket(self, person: Person, edge: str, camera: str, path: str) -> Ticket:
        now = self._clock.now()
        return Ticket(
            edge=edge,
            user=person.user,
            session=person.login,
            tracks=(Track(camera=camera),),
            purpose="playback",
            offer_sha256=sha256_hex(path),
            jti=secrets.token_hex(16),
            start_by=now + START_WITHIN,
            view_until=now + _LOOK_FOR,
        )
