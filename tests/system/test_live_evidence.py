"""What a box gives for evidence: fragments and copies to look at, each by a ticket of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from aiohttp import ClientResponse

from contract.boxapi import TICKET_HEADER, FragmentsHead, ViewingOrder
from contract.messages import LookChanged, SegmentClosed
from contract.ticket import Ticket, issue
from edge.live.copies import Busy, Copies
from tests.fakes.footage import record, taken
from tests.fakes.live_centre import LiveBox, live_box, make_ticket
from tests.guard.sealed_guard import by_hand

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass
class Shelf:
    """A box that runs, and what it recorded."""

    box: LiveBox
    told: SegmentClosed

    @property
    def path(self) -> str:
        return self.told.path.removeprefix("shelf/")

    async def fragments(self, begin: int, end: int, ticket: Ticket | None = None) -> ClientResponse:
        what = f"fragments/{self.path}?from={begin}&to={end}"
        signed = issue(self.box.ticket_key, ticket or leave_for(what))
        return await self.box.session.get(
            f"{self.box.config.url}/{what}", headers={TICKET_HEADER: signed}
        )

    async def viewing(self, order: ViewingOrder, ticket: Ticket | None = None) -> ClientResponse:
        body = msgspec.json.encode(order)
        what = f"viewing/{order.camera}?sha256={sha256(body).hexdigest()}"
        signed = issue(self.box.ticket_key, ticket or leave_for(what))
        return await self.box.session.post(
            f"{self.box.config.url}/viewing", data=body, headers={TICKET_HEADER: signed}
        )

    def order(self, *paths: str) -> ViewingOrder:
        return ViewingOrder(
            camera="cam-1",
            paths=paths or (self.path,),
            start=START + timedelta(seconds=1),
            end=START + timedelta(seconds=2),
            request="附2-2026-0007",
            recipient="王敏",
        )


def leave_for(what: str) -> Ticket:
    return make_ticket(what, "cam-1", purpose="playback")


@asynccontextmanager
async def shelf(tmp_path: Path) -> AsyncGenerator[Shelf]:
    told = record(tmp_path, "cam-1", START, 4)
    async with live_box(tmp_path, "cam-1") as box:
        yield Shelf(box, told)


async def code(response: ClientResponse) -> tuple[int, str]:
    return response.status, str((await response.json())["code"])


async def test_fragments_leave_exactly_as_they_stand_and_the_look_is_told(tmp_path: Path) -> None:
    async with shelf(tmp_path) as one:
        response = await one.fragments(90_000, 180_000)
        answer = await response.read()
        size = int.from_bytes(answer[:4], "big")
        head = msgspec.json.decode(answer[4 : 4 + size], type=FragmentsHead)
        whole = (tmp_path / one.told.path).read_bytes()
        first, last = head.fragments[0], head.fragments[-1]
        assert answer[4 + size :] == whole[: head.init] + whole[first[0] : last[0] + last[1]]
        assert (head.root, head.leaves) == (one.told.root, one.told.fragments + 1)
        (fact,) = [fact for fact in one.box.facts.facts if isinstance(fact, LookChanged)]
        assert fact.reason == f"playback fragments/{one.path}?from=90000&to=180000"


async def test_a_ticket_gives_its_own_span_and_nothing_else(tmp_path: Path) -> None:
    async with shelf(tmp_path) as one:
        playing = leave_for(one.path)
        assert await code(await one.fragments(0, 90_000, playing)) == (403, "other_offer")
        narrow = leave_for(f"fragments/{one.path}?from=0&to=90000")
        assert await code(await one.fragments(0, 90_001, narrow)) == (403, "other_offer")
        other = msgspec.structs.replace(one.order(), recipient="李雷")
        body = msgspec.json.encode(one.order())
        ticket = leave_for(f"viewing/cam-1?sha256={sha256(body).hexdigest()}")
        assert await code(await one.viewing(other, ticket)) == (403, "other_offer")


async def test_what_cannot_be_given_is_refused_by_code(tmp_path: Path) -> None:
    async with shelf(tmp_path) as one:
        assert await code(await one.fragments(900_000, 990_000)) == (404, "nothing_inside")
        assert (await one.fragments(-1, 5)).status == 400
        missing = one.order("cam-1/2026-11-24/20261124T090000000.mp4")
        assert await code(await one.viewing(missing)) == (404, "no_such")
        path = tmp_path / one.told.path
        with by_hand():
            path.chmod(0o640)
            path.write_bytes(b"not a segment")
            path.chmod(0o440)
        assert await code(await one.fragments(0, 90_000)) == (422, "damaged")
        assert await code(await one.viewing(one.order())) == (422, "damaged")


async def test_a_copy_shows_the_span_alone(tmp_path: Path) -> None:
    async with shelf(tmp_path) as one:
        response = await one.viewing(one.order())
        assert response.status == 200
        (tmp_path / "copy.mp4").write_bytes(await response.read())
        expected = [START + timedelta(seconds=n / 10) for n in range(10, 20)]
        assert taken(tmp_path / "copy.mp4") == expected


async def test_no_copy_is_made_of_another_cameras_footage(tmp_path: Path) -> None:
    record(tmp_path, "cam-2", START, 1)
    async with shelf(tmp_path) as one:
        other = one.order(f"cam-2/{one.path.partition('/')[2]}")
        assert await code(await one.viewing(other)) == (422, "damaged")


async def test_one_copy_is_made_at_a_time_and_its_child_ends_with_it(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-1", START, 2)
    copies = Copies(tmp_path / "shelf")
    order = Shelf.order(Shelf(None, told))  # type: ignore[arg-type]  # no box is asked
    async with copies.making(order):
        try:
            async with copies.making(order):
                raise AssertionError
        except Busy:
            pass
    async with copies.making(order) as chunks:
        assert b"ftyp" in await anext(chunks)
