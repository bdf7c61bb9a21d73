"""Expiry in the agent at a real broker, and what the live process shows of due footage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.clock import SystemClock
from contract.messages import (
    Deleted,
    Fact,
    Hold,
    HoldList,
    HoldsHeard,
    Message,
    SegmentClosed,
    data_of,
)
from edge.clockrun import boot_id, run_of
from edge.config import EdgeConfig
from edge.holds import HoldsInForce, load, save
from edge.journal import Journal
from edge.live.lapsed import Viewing
from edge.terms import Terms
from orchestrator.logins import user_of
from tests.fakes.broker import Listening, running_broker
from tests.fakes.enrolled import Centre, enrolled_box
from tests.fakes.shelf import Shelf, TurnedClock, hold, mount
from tests.fakes.waiting import until
from tests.system.test_agent import Scene, an_agent

DAY = timedelta(days=1)
CLOCK = SystemClock()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with standing(tmp_path) as found:
        yield found


@asynccontextmanager
async def standing(tmp_path: Path, left: HoldsInForce | None = None) -> AsyncIterator[Scene]:
    """Have an agent run, with the holds that an earlier run left."""
    centre, name = Centre.make(), user_of("box-1")
    async with running_broker(tmp_path / "broker", {"box-1": "secret"}) as broker:
        config, keys = enrolled_box(
            tmp_path / "box", centre, port=broker.port, user=name, password="secret"
        )
        config.run.mkdir(parents=True)
        ear = Listening(broker.address, "test-centre", topics.EVERY_STATUS, topics.EVERY_FACT)
        async with ear.on(), Journal.open(config.journal) as journal:
            await journal.set_meta("volume", "v1")
            mount(config.data, "v1", CLOCK.now())
            if left is not None:
                save(config.holds, left)
            async with an_agent(config, keys):
                yield Scene(centre, config, keys, journal, ear)


async def shelved(scene: Scene, days_ago: int) -> Path:
    """Put a segment on the shelf that this clock wrote so long ago."""
    end = CLOCK.now() - days_ago * DAY
    file = scene.config.shelf / "c1" / "2026-01-01" / f"{days_ago}.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")
    file.chmod(0o440)
    await scene.journal.add_segment(
        SegmentClosed(
            segment=f"c1.main.{days_ago}",
            camera="c1",
            stream="main",
            start=end - timedelta(minutes=1),
            end=end,
            bytes=1,
            path=file.relative_to(scene.config.data).as_posix(),
            root="aa",
            previous="",
            fragments=1,
            clock="trusted",
            volume="v1",
            clock_run=str(run_of(CLOCK, boot_id())),
        ),
        CLOCK.now(),
    )
    return file


def said(scene: Scene, kind: type[Message]) -> list[Message]:
    found = [data_of(fact) for fact in scene.facts()]
    return [one for one in found if isinstance(one, kind)]


async def send(scene: Scene, number: int, *holds: Hold, centre: Centre | None = None) -> None:
    new = HoldList(edge="box-1", epoch=1, number=number, issued_at=CLOCK.now(), holds=holds)
    payload = (centre or scene.centre).holds(new)
    await scene.ear.bus.publish(topics.holds("box-1"), payload, retain=True)


async def test_a_list_from_the_centre_lets_due_footage_go_and_keeps_the_rest(
    scene: Scene,
) -> None:
    due, young, kept = [await shelved(scene, days) for days in (31, 29, 33)]
    end = CLOCK.now() - 33 * DAY
    await until(scene.last_status)
    await send(scene, 1, hold("h1", "c1", end - DAY / 2, end + DAY / 2))
    await until(lambda: not due.exists(), what="the deletion")
    await until(lambda: said(scene, Deleted), what="its record")
    assert young.exists()
    assert kept.exists()
    (heard,) = said(scene, HoldsHeard)
    assert isinstance(heard, HoldsHeard)
    assert [one.hold for one in heard.holds] == ["h1"]
    await until(lambda: (s := scene.last_status()) and s.hold_number == 1, what="its number")


async def test_a_stranger_s_list_deletes_nothing_and_is_said(scene: Scene) -> None:
    due = await shelved(scene, 31)
    await until(scene.last_status)
    await send(scene, 1, centre=Centre.make())
    await until(lambda: said(scene, HoldsHeard))
    (heard,) = said(scene, HoldsHeard)
    assert isinstance(heard, HoldsHeard)
    assert (heard.accepted, heard.reason) == (False, "signature")
    assert due.exists()
    assert load(scene.config.holds) == HoldsInForce()


async def test_holds_that_a_kill_left_unsaid_are_said_at_the_next_start_once(
    tmp_path: Path,
) -> None:
    end = CLOCK.now()
    kept = hold("h1", "c1", end - DAY, end)
    left = HoldsInForce(epoch=1, number=3, issued_at=end, holds=(kept,))
    async with standing(tmp_path, left) as scene:
        await until(lambda: said(scene, HoldsHeard), what="the holds")
        await send(scene, 3, kept)  # retained: it comes again
        await send(scene, 4, kept)
        await until(lambda: load(scene.config.holds).number == 4)
        await send(scene, 5)
        await until(lambda: (s := scene.last_status()) and s.hold_number == 5)
        (heard,) = said(scene, HoldsHeard)
        assert isinstance(heard, HoldsHeard)
        assert (heard.epoch, heard.number, heard.accepted) == (1, 3, True)
        assert heard.holds == (kept,)


async def test_an_older_list_is_refused(scene: Scene) -> None:
    await until(scene.last_status)
    await send(scene, 7)
    await until(lambda: load(scene.config.holds).number == 7)
    await send(scene, 6)
    await until(lambda: said(scene, HoldsHeard))
    assert load(scene.config.holds).number == 7
    facts: list[Fact] = scene.facts()
    assert not any(b"segment" in msgspec.json.encode(fact.data) for fact in facts)


async def test_footage_past_its_term_is_not_shown_unless_it_is_held(tmp_path: Path) -> None:
    clock = TurnedClock()
    config = EdgeConfig(edge="box-1", data=tmp_path / "box", url="https://127.0.0.1:1")
    async with Shelf.open(config.data, clock) as shelf:
        file = await shelf.record("c1")
        end = clock.now()
        shelf.hear(end)
        await shelf.remover.look()
        path = file.relative_to(config.shelf).as_posix()
        viewing = Viewing(config, shelf.journal, clock)
        assert not await viewing.is_over(path)
        clock.turn(30 * DAY)
        assert await viewing.is_over(path)
        save(config.holds, HoldsInForce(holds=(hold("h1", "c1", end - DAY, end),)))
        assert not await viewing.is_over(path)
        assert not await viewing.is_over("no/such/file.mp4")
        assert len(await (await Terms.open(shelf.journal)).all()) == 1
