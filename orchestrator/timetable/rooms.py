"""Rooms as files write them, matched against the list of rooms; proposed, never assumed."""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.findings import Finding, Rejected, finding, reject

_DASH = re.compile(r"\s*[‐-―−~～_]\s*")
_SUFFIX = re.compile(r"^(.*?)\s*\([^()]*\)\s*$")
_SEVERAL = re.compile(r"[、,;\n]+")
_LOOSE = str.maketrans("一二三四五六七八九零", "1234567890")


class KnownRoom(msgspec.Struct, frozen=True):
    """A room of the school, with the other names timetables give it."""

    name: str
    code: str = ""
    aliases: tuple[str, ...] = ()
    campus: str = ""
    building: str = ""
    capacity: int | None = None
    cameras: int | None = None


class RoomFile(msgspec.Struct, frozen=True):
    """A list of rooms as a file."""

    rooms: tuple[KnownRoom, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A room as a session has it: canonical, or as the file writes it when no list is known."""

    name: str
    room: KnownRoom | None = None


def read_room_file(data: bytes) -> RoomFile:
    """Read a list of rooms from JSON; raises Unreadable."""
    try:
        return msgspec.json.decode(data, type=RoomFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(
            "bad_rooms", f"教室表无法读取：{error}", f"the list of rooms cannot be read: {error}"
        ) from error


def key_of(name: str) -> str:
    """Give what two spellings of one name share: width, case, spaces and dashes do not count."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"\s+", "", _DASH.sub("-", folded))


class Rooms:
    """The list of rooms, asked by name."""

    def __init__(self, rooms: Iterable[KnownRoom]) -> None:
        self._rooms = tuple(rooms)
        self._by_key: dict[str, list[KnownRoom]] = defaultdict(list)
        for room in self._rooms:
            for name in dict.fromkeys(map(key_of, _names(room))):
                self._by_key[name].append(room)
        self._campuses = sorted({room.campus for room in self._rooms if room.campus}, key=len)

    def find(self, raw: str, campus: str = "") -> tuple[Place, list[Finding]]:
        """Give the room, with a remark where brackets were left out; raises Rejected."""
        if found := self._known(raw, campus):
            return Place(found.name, found), []
        text = unicodedata.normalize("NFKC", raw)
        if (bare := _SUFFIX.match(text)) and (found := self._known(bare[1], campus)):
            return Place(found.name, found), [finding("room_read_as", raw=raw, room=found.name)]
        raise self._unknown(raw)

    def find_all(self, raw: str, campus: str = "") -> list[tuple[Place, list[Finding]]]:
        """Give the rooms of a cell that may name several; raises Rejected for the first unknown."""
        try:
            return [self.find(raw, campus)]
        except Rejected:
            parts = parts_of(raw)
            if len(parts) < 2:
                raise
            return [self.find(part, campus) for part in parts]

    def _known(self, raw: str, campus: str) -> KnownRoom | None:
        matches = self._by_key.get(key_of(raw), [])
        for name in reversed(self._campuses):
            if not matches and key_of(raw).startswith(key_of(name)):
                inside = self._by_key.get(key_of(raw)[len(key_of(name)) :].lstrip("-"), [])
                matches = [room for room in inside if room.campus == name]
        if len(matches) > 1 and campus:
            matches = [room for room in matches if key_of(room.campus) == key_of(campus)]
        if len(matches) > 1:
            raise reject("ambiguous_room", raw=raw, rooms="、".join(r.name for r in matches))
        return matches[0] if matches else None

    def _unknown(self, raw: str) -> Rejected:
        near = self._nearest(raw)
        return reject(
            "unknown_room",
            raw=raw,
            proposal_zh=f"；是否为“{near.name}”？" if near else "",
            proposal_en=f"; is “{near.name}” meant?" if near else "",
        )

    def _nearest(self, raw: str) -> KnownRoom | None:
        loose = {_loosely(name): room for room in self._rooms for name in _names(room)}
        wanted = _loosely(raw)
        if wanted in loose:
            return loose[wanted]
        near = difflib.get_close_matches(wanted, loose, n=1, cutoff=0.75)
        return loose[near[0]] if near else None


def parts_of(raw: str) -> list[str]:
    """Split a cell that names several rooms."""
    text = unicodedata.normalize("NFKC", raw)
    return [part.strip() for part in _SEVERAL.split(text) if part.strip()]


def _names(room: KnownRoom) -> Iterable[str]:
    yield room.name
    yield from room.aliases
    if room.code:
        yield room.code


def _loosely(name: str) -> str:
    text = re.sub(r"\([^)]*\)", "", key_of(name)).translate(_LOOSE)
    return re.sub(r"第|号|教学楼|教室|室|楼|座|栋|-", "", text.replace("教学楼", "教"))
