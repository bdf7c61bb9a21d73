"""Watchers and their mailboxes."""

import asyncio

import pytest

from orchestrator.events import Event, Events, Mailbox
from tests.fakes.clock import ManualClock


@pytest.fixture
def events() -> Events:
    return Events(ManualClock())


async def test_everybody_who_watches_hears_everything_in_order(events: Events) -> None:
    async with events.subscribe() as one, events.subscribe() as other:
        events.publish("camera", "cam-1", {"state": "lost"})
        events.publish("edge", "box-1")
        for mailbox in (one, other):
            assert [(await mailbox.get()).id for _ in range(2)] == ["cam-1", "box-1"]


async def test_an_event_says_when(events: Events) -> None:
    async with events.subscribe() as mailbox:
        events.publish("camera", "cam-1")
        assert await mailbox.get() == Event(type="camera", id="cam-1", at=ManualClock().now())


async def test_a_watcher_waits_for_the_next_event(events: Events) -> None:
    async with events.subscribe() as mailbox, asyncio.TaskGroup() as group:
        waiting = group.create_task(anext(mailbox))
        await asyncio.sleep(0)
        assert not waiting.done()
        events.publish("camera", "cam-1")
    assert waiting.result().id == "cam-1"


async def test_who_came_late_or_left_hears_nothing(events: Events) -> None:
    async with events.subscribe() as left:
        pass
    events.publish("camera", "cam-1")
    async with events.subscribe() as late:
        events.publish("camera", "cam-2")
        assert (await late.get()).id == "cam-2"
    assert left._events == late._events == type(left._events)()


async def test_a_full_mailbox_is_emptied_and_says_resync(events: Events) -> None:
    async with events.subscribe() as slow, events.subscribe() as quick:
        for number in range(257):
            events.publish("camera", str(number))
            await quick.get()
        events.publish("edge", "box-1")
        assert [(await slow.get()).type for _ in range(2)] == ["resync", "edge"]


async def test_a_mailbox_never_holds_more_than_it_has_room_for() -> None:
    mailbox = Mailbox(room_for=3)
    for number in range(100):
        mailbox.put(Event(type="camera", id=str(number), at=ManualClock().now()))
        assert len(mailbox._events) <= 3
