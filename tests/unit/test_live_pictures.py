import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.feed import AccessUnit
from edge.live.pictures import GopCache, Mailbox, MailboxClosed, Picture, Timeline


def picture(number: int, *, epoch: int = 1, gop: int = 10, size: int = 100) -> Picture:
    """The picture at 25 a second, a key frame every `gop`."""
    unit = AccessUnit(
        camera="cam1",
        stream="sub",
        codec="h264",
        key=number % gop == 0,
        cached=False,
        timestamp_90k=number * 3600,
        run=epoch,
        captured_us=number * 40_000,
        data=bytes(size),
    )
    return Picture(epoch, unit)


def numbers(box: Mailbox) -> list[int]:
    """Empty a mailbox."""

    async def read() -> list[int]:
        return [(await box.get()).unit.timestamp_90k // 3600 for _ in range(len(box))]

    return asyncio.run(read())


def test_the_cache_holds_the_pictures_since_the_last_key_frame() -> None:
    cache = GopCache()
    for number in range(24):
        cache.add(picture(number))
    assert [kept.unit.timestamp_90k // 3600 for kept in cache] == [20, 21, 22, 23]


def test_the_cache_keeps_nothing_before_the_first_key_frame() -> None:
    cache = GopCache()
    cache.add(picture(5))
    assert len(cache) == 0


def test_a_gop_too_long_for_the_cache_is_not_kept_until_the_next_key_frame() -> None:
    cache = GopCache(most=4)
    for number in range(5):
        cache.add(picture(number))
    assert len(cache) == 0
    cache.add(picture(6))
    assert len(cache) == 0
    cache.add(picture(10))
    assert len(cache) == 1


def test_a_mailbox_begins_with_a_key_frame() -> None:
    box = Mailbox()
    for number in range(7, 13):
        box.put(picture(number))
    assert numbers(box) == [10, 11, 12]
    assert box.dropped == 3


def test_a_full_mailbox_drops_up_to_the_next_key_frame() -> None:
    box = Mailbox(most=6)
    for number in range(12):
        box.put(picture(number))
    assert numbers(box) == [10, 11]
    assert box.dropped == 10


def test_a_mailbox_is_full_by_bytes_too() -> None:
    box = Mailbox(most_bytes=1000)
    for number in range(12):
        box.put(picture(number, size=300))
    assert numbers(box) == [10, 11]


def test_a_key_frame_finds_room_in_a_full_mailbox() -> None:
    box = Mailbox(most=10)
    for number in range(11):
        box.put(picture(number))
    assert numbers(box) == [10]


def test_a_new_run_begins_with_its_key_frame() -> None:
    box = Mailbox()
    box.put(picture(0))
    box.put(picture(1, epoch=2))
    box.put(picture(10, epoch=2))
    assert numbers(box) == [0, 10]


def test_beginning_again_throws_the_unread_away() -> None:
    box = Mailbox()
    for number in range(5):
        box.put(picture(number))
    box.begin_with([picture(0), picture(1)])
    assert numbers(box) == [0, 1]


async def test_a_closed_mailbox_gives_what_it_has_and_then_says_why() -> None:
    box = Mailbox()
    box.put(picture(0))
    box.close("b_frames")
    assert (await box.get()).unit.key
    with pytest.raises(MailboxClosed, match="b_frames"):
        await box.get()


async def test_a_waiting_reader_gets_the_next_picture() -> None:
    box = Mailbox()
    reading = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    box.put(picture(0))
    assert (await reading).unit.key


def test_a_timeline_begins_at_zero_and_keeps_the_cameras_pace() -> None:
    timeline = Timeline()
    assert [timeline.stamp(picture(number)) for number in (7, 8, 10)] == [0, 3600, 10800]


def test_a_reconnected_camera_goes_on_by_its_wall_clock() -> None:
    timeline = Timeline()
    timeline.stamp(picture(0))
    again = picture(100, epoch=2)
    unit = AccessUnit("cam1", "sub", "h264", True, False, 7, 2, 5_000_000, b"")
    assert timeline.stamp(Picture(2, unit)) == 450_000
    assert timeline.stamp(again) > 450_000


def test_a_clock_that_leaps_with_the_reconnect_costs_one_picture() -> None:
    timeline = Timeline()
    timeline.stamp(picture(10))
    unit = AccessUnit("cam1", "sub", "h264", True, False, 7, 2, 10**15, b"")
    assert timeline.stamp(Picture(2, unit)) == 3600


def test_a_repeat_is_squeezed_in_front_of_the_next_live_picture() -> None:
    timeline = Timeline()
    live = [timeline.stamp(picture(number)) for number in range(25)]
    repeat = [timeline.stamp(picture(number)) for number in range(25)]
    assert repeat[0] > live[-1]
    assert repeat == sorted(set(repeat))
    assert timeline.stamp(picture(25)) == 25 * 3600 > repeat[-1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5000)), max_size=60))
def test_stamps_always_rise(steps: list[tuple[int, int]]) -> None:
    timeline = Timeline()
    stamps = [timeline.stamp(picture(number, epoch=epoch)) for epoch, number in steps]
    assert stamps == sorted(set(stamps))
