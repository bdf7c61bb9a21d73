"""Reading a table of rooms and cameras: CSV, a row per camera."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from contract.messages import Source
from orchestrator.site import NewCamera, Room, SiteCamera

COLUMNS = (
    "room_code",
    "room_name",
    "building",
    "campus",
    "capacity",
    "aliases",
    "camera_id",
    "edge",
    "switch",
    "main_url",
    "sub_url",
    "user",
    "password",
)
_NEEDED = frozenset({"room_code", "room_name", "camera_id", "edge", "main_url", "sub_url"})


class SiteFileRefused(Exception):
    """The file is not such a table; the message names line and column, never a value."""


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What the file holds."""

    rooms: tuple[Room, ...]
    cameras: tuple[NewCamera, ...]


def read(data: bytes) -> SiteFile:
    """Read UTF-8 or GB18030 with a header of `COLUMNS`; raises SiteFileRefused.

    Only some columns are needed. `aliases` are parted by `|`. A row without a camera names a room
    alone. A room that stands in several rows must be the same in each.
    """
    reader = csv.DictReader(io.StringIO(_text(data), newline=""), strict=True)
    rooms: dict[str, Room] = {}
    cameras: dict[str, NewCamera] = {}
    try:
        _check_header(reader.fieldnames or ())
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row:
                raise SiteFileRefused(f"{where}: more fields than the header has")
            room = _room(row, where)
            if rooms.setdefault(room.id, room) != room:
                raise SiteFileRefused(f"{where}: room {room.id} is another one further up")
            camera = _camera(row, where)
            if camera is not None and camera.camera.id in cameras:
                raise SiteFileRefused(f"{where}: camera {camera.camera.id} stands here twice")
            if camera is not None:
                cameras[camera.camera.id] = camera
    except csv.Error as error:
        raise SiteFileRefused(f"after line {reader.line_num}: {error}") from error
    return SiteFile(tuple(rooms.values()), tuple(cameras.values()))


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SiteFileRefused("the file is neither UTF-8 nor GB18030")


def _check_header(header: object) -> None:
    names = list(header) if isinstance(header, (list, tuple)) else []
    missing = sorted(_NEEDED.difference(names))
    unknown = sorted(set(names).difference(COLUMNS))
    if missing:
        raise SiteFileRefused(f"line 1: missing {', '.join(missing)}")
    if unknown:
        raise SiteFileRefused(f"line 1: unknown {', '.join(unknown)}")


def _field(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()


def _room(row: Mapping[str, str | None], where: str) -> Room:
    code, name, capacity = (_field(row, key) for key in ("room_code", "room_name", "capacity"))
    if not code or not name:
        raise SiteFileRefused(f"{where}: room_code and room_name are needed")
    if capacity and not (capacity.isdecimal() and int(capacity) > 0):
        raise SiteFileRefused(f"{where}: capacity must be a number above 0")
    return Room(
        code,
        name,
        _field(row, "building"),
        _field(row, "campus"),
        int(capacity) if capacity else None,
        tuple(alias.strip() for alias in _field(row, "aliases").split("|") if alias.strip()),
    )


def _camera(row: Mapping[str, str | None], where: str) -> NewCamera | None:
    wanted = ("camera_id", "edge", "main_url", "sub_url")
    values = {key: _field(row, key) for key in wanted}
    if not any(values.values()):
        return None
    if missing := [key for key in wanted if not values[key]]:
        raise SiteFileRefused(f"{where}: missing {', '.join(missing)}")
    return NewCamera(
        SiteCamera(
            values["camera_id"], _field(row, "room_code"), values["edge"], _field(row, "switch")
        ),
        Source(
            main=values["main_url"],
            sub=values["sub_url"],
            user=_field(row, "user"),
            password=row.get("password") or "",
        ),
    )
