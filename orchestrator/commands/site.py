"""`xunkao room` and `xunkao camera`: what the site consists of."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from contract.clock import SystemClock
from contract.keys import SealKey
from contract.messages import Source
from orchestrator import sitefile
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.config import Config
from orchestrator.site import NewCamera, Room, Site, SiteCamera, SiteRefused
from orchestrator.sitefile import SiteFileRefused
from orchestrator.store import Store

room_app = typer.Typer(help="Rooms in which exams are held.", no_args_is_help=True)
camera_app = typer.Typer(help="Cameras and their boxes.", no_args_is_help=True)


class NoKeys(Exception):
    """The centre has no keys yet."""


def _site(config: Config, store: Store) -> Site:
    key = config.keys / "seal.key"
    if not key.exists():
        raise NoKeys(f"{key} is missing: start `xunkao serve` once, it makes the keys")
    return Site(store, SystemClock(), config.camera_subnets, SealKey.load_or_make(key))


async def _put(
    config: Path, rooms: tuple[Room, ...], cameras: tuple[NewCamera, ...], *, renew: bool
) -> None:
    async with opened(config) as (settings, store):
        await _site(settings, store).put(rooms, cameras, at_the_machine(), renew=renew)


@room_app.command("add")
def add_room(
    code: Annotated[str, typer.Argument(help="ASCII, as in topics and file names.")],
    name: Annotated[str, typer.Argument(help="As in timetables.")],
    building: Annotated[str, typer.Option()] = "",
    campus: Annotated[str, typer.Option()] = "",
    capacity: Annotated[int | None, typer.Option(min=1)] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name in timetables.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Take a room in."""
    room = Room(code, name, building, campus, capacity, tuple(alias or ()))
    with refusals(SiteRefused, NoKeys):
        asyncio.run(_put(config, (room,), (), renew=False))


@room_app.command("list")
def list_rooms(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show all rooms: code, name, cameras."""

    async def work() -> list[Room]:
        async with opened(config) as (settings, store):
            return await _site(settings, store).rooms()

    with refusals(NoKeys):
        found = asyncio.run(work())
    for room in found:
        typer.echo(f"{room.id}\t{room.name}\t{','.join(room.cameras)}")


@camera_app.command("add")
def add_camera(
    camera: Annotated[str, typer.Argument(help="ASCII.")],
    room: Annotated[str, typer.Option(help="Code of its room.")],
    edge: Annotated[str, typer.Option(help="The box that looks after it.")],
    main: Annotated[str, typer.Option(help="RTSP address of the main stream.")],
    sub: Annotated[str, typer.Option(help="RTSP address of the sub-stream.")],
    user: Annotated[str, typer.Option(help="Log-in at the camera.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="Its first line is the camera's password; else asked for.")
    ] = None,
    switch: Annotated[str, typer.Option(help="The switch it hangs on.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Take a camera in."""
    with refusals(SiteRefused, NoKeys):
        source = Source(main=main, sub=sub, user=user, password=_password(user, password_file))
        new = NewCamera(SiteCamera(camera, room, edge, switch), source)
        asyncio.run(_put(config, (), (new,), renew=False))


@camera_app.command("list")
def list_cameras(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show all cameras: id, room, box."""

    async def work() -> list[SiteCamera]:
        async with opened(config) as (settings, store):
            return await _site(settings, store).cameras()

    with refusals(NoKeys):
        found = asyncio.run(work())
    for camera in found:
        typer.echo(f"{camera.id}\t{camera.room}\t{camera.edge}")


@camera_app.command("import")
def import_cameras(
    file: Annotated[Path, typer.Argument(help="CSV: " + ", ".join(sitefile.COLUMNS))],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Take in or renew all rooms and cameras of a file, or none."""
    with refusals(SiteRefused, SiteFileRefused, NoKeys):
        found = sitefile.read(file.read_bytes())
        asyncio.run(_put(config, found.rooms, found.cameras, renew=True))
    typer.echo(f"{len(found.rooms)} rooms, {len(found.cameras)} cameras")


def _password(user: str, file: Path | None) -> str:
    if file is not None:
        return file.read_text().partition("\n")[0]
    return str(typer.prompt("Password of the camera", hide_input=True)) if user else ""
