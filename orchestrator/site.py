"""The site: its rooms, and its cameras with their credentials sealed."""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Insert, RowMapping, Table, Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.keys import SealKey, seal
from contract.messages import Id, Source
from orchestrator.ledger import Act, append
from orchestrator.store import Store
from orchestrator.store.tables import cameras, edges, rooms

_URL = re.compile(r"rtsp://[!-~]{1,500}")


class SiteRefused(Exception):
    """A room or camera was not taken; `code` says why, the message which.

    Codes: `bad_id`, `exists`, `name_taken`, `no_such_room`, `bad_url`, `outside_subnets`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Room:
    """A room in which exams are held."""

    id: str
    name: str
    building: str = ""
    campus: str = ""
    capacity: int | None = None
    aliases: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    """Filled in by listings."""


@dataclass(frozen=True, slots=True)
class SiteCamera:
    """A camera as anybody may know it: no address, no credentials."""

    id: str
    room: str
    edge: str
    switch: str = ""


@dataclass(frozen=True, slots=True)
class NewCamera:
    """A camera with where it is and how to log in to it."""

    camera: SiteCamera
    source: Source


def check_url(url: str, subnets: Sequence[str]) -> None:
    """Return when a camera may be asked at this address; raise SiteRefused otherwise.

    The host must be a literal IP address, so that no name server decides whom we contact.
    """
    if not _URL.fullmatch(url) or "\\" in url:
        raise SiteRefused("bad_url", "a camera's address looks like rtsp://10.1.2.3/path")
    try:
        parts = urlsplit(url)
        address = ipaddress.ip_address(parts.hostname or "")
        _ = parts.port
    except ValueError as error:
        raise SiteRefused("bad_url", "the host must be an IP address, the port a number") from error
    if "@" in parts.netloc:
        raise SiteRefused("bad_url", "user and password stand in fields of their own")
    if not any(address in ipaddress.ip_network(subnet) for subnet in subnets):
        raise SiteRefused("outside_subnets", f"{address} lies in none of camera_subnets")


class Site:
    """Rooms and cameras in the store. `add_…` refuse what is there; `put` also renews it."""

    def __init__(
        self, store: Store, clock: Clock, subnets: Sequence[str], seal_key: SealKey
    ) -> None:
        self._store = store
        self._clock = clock
        self._subnets = tuple(subnets)
        self._seal_key = seal_key

    async def add_room(self, room: Room, by: str, source: str = "") -> None:
        """Take a room in; raises SiteRefused."""
        await self.put([room], [], by, source, renew=False)

    async def add_camera(self, camera: NewCamera, by: str, source: str = "") -> None:
        """Take a camera in, and name its box if it is new; raises SiteRefused."""
        await self.put([], [camera], by, source, renew=False)

    async def put(
        self,
        new_rooms: Iterable[Room],
        new_cameras: Iterable[NewCamera],
        by: str,
        source: str = "",
        *,
        renew: bool = True,
    ) -> None:
        """Take all of them in, or none; each that changes stands in the ledger."""
        new_rooms, new_cameras = list(new_rooms), list(new_cameras)
        for room in new_rooms:
            _check_id(room.id)
        for new in new_cameras:
            _check_id(new.camera.id)
            _check_id(new.camera.edge)
            check_url(new.source.main, self._subnets)
            check_url(new.source.sub, self._subnets)
        async with self._store.write() as connection:
            for room in new_rooms:
                await self._put_room(connection, room, Act(by, "", room.id, source=source), renew)
            for new in new_cameras:
                act = Act(by, "", new.camera.id, source=source)
                await self._put_camera(connection, new, act, renew)

    async def rooms(self) -> list[Room]:
        """Give all rooms with their cameras, by campus, building and name."""
        order = (rooms.c.campus, rooms.c.building, rooms.c.name)
        async with self._store.read() as connection:
            rows = (await connection.execute(select(rooms).order_by(*order))).all()
            cameras_of = defaultdict(list)
            for row in await connection.execute(
                select(cameras.c.room, cameras.c.id).order_by(cameras.c.id)
            ):
                cameras_of[row.room].append(row.id)
        return [
            Room(
                row.id,
                row.name,
                row.building,
                row.campus,
                row.capacity,
                tuple(row.aliases),
                tuple(cameras_of[row.id]),
            )
            for row in rows
        ]

    async def cameras(self) -> list[SiteCamera]:
        """Give all cameras, by id; never where they are nor how to log in to them."""
        async with self._store.read() as connection:
            rows = await connection.execute(_LISTED.order_by(cameras.c.id))
            return [SiteCamera(*row) for row in rows]

    async def camera(self, camera: str) -> SiteCamera | None:
        """Give one camera, or None."""
        async with self._store.read() as connection:
            row = (await connection.execute(_LISTED.where(cameras.c.id == camera))).first()
        return None if row is None else SiteCamera(*row)

    def open(self, sealed: str) -> Source:
        """Read `cameras.sealed`, to seal it again to a box. Raises SealBroken."""
        return msgspec.json.decode(self._seal_key.open(sealed), type=Source)

    async def _put_room(
        self, connection: AsyncConnection, room: Room, act: Act, renew: bool
    ) -> None:
        same_name = select(rooms.c.id).where(rooms.c.name == room.name, rooms.c.id != room.id)
        if (await connection.scalars(same_name)).first():
            raise SiteRefused("name_taken", f"another room is called {room.name}")
        values = {
            "name": room.name,
            "aliases": list(room.aliases),
            "building": room.building,
            "campus": room.campus,
            "capacity": room.capacity,
        }
        await self._put(connection, rooms, "room", values, act, renew)

    async def _put_camera(
        self, connection: AsyncConnection, new: NewCamera, act: Act, renew: bool
    ) -> None:
        camera = new.camera
        if await _row(connection, rooms, camera.room) is None:
            raise SiteRefused("no_such_room", f"camera {camera.id}: there is no room {camera.room}")
        if await _row(connection, edges, camera.edge) is None:
            await connection.execute(insert(edges).values(id=camera.edge))
        old = await _row(connection, cameras, camera.id)
        values: dict[str, Any] = {
            "room": camera.room,
            "edge": camera.edge,
            "switch": camera.switch,
            "added_at": self._clock.now() if old is None else old["added_at"],
        }
        if old is None or self.open(old["sealed"]) != new.source:
            values["sealed"] = seal(self._seal_key.public, msgspec.json.encode(new.source))
        await self._put(connection, cameras, "camera", values, act, renew)

    async def _put(
        self,
        connection: AsyncConnection,
        table: Table,
        kind: str,
        values: dict[str, Any],
        act: Act,
        renew: bool,
    ) -> None:
        old = await _row(connection, table, act.object)
        if old is not None and not renew:
            raise SiteRefused("exists", f"there is a {kind} {act.object} already")
        changed = sorted(key for key in values if old is None or old[key] != values[key])
        if not changed:
            return
        if old is None:
            act = replace(act, action=f"add_{kind}")
            change: Insert | Update = insert(table).values(id=act.object, **values)
        else:
            act = replace(act, action=f"change_{kind}", reason=", ".join(changed))
            change = update(table).where(table.c.id == act.object).values(**values)
        await append(connection, act, self._clock.now())
        await connection.execute(change)


_LISTED = select(cameras.c.id, cameras.c.room, cameras.c.edge, cameras.c.switch)


def _check_id(value: str) -> None:
    try:
        msgspec.convert(value, Id)
    except msgspec.ValidationError as error:
        raise SiteRefused(
            "bad_id", f"{value!r}: an id has 1 to 64 ASCII letters, digits and . _ -"
        ) from error


async def _row(connection: AsyncConnection, table: Table, id: str) -> RowMapping | None:
    return (await connection.execute(select(table).where(table.c.id == id))).mappings().first()
