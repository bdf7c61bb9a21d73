import pytest

from edge.feed import AccessUnit
from edge.live.channel import Channel, Viewer
from edge.live.pictures import Mailbox
from edge.live.webrtc import SourceEnded
from tests.fakes.clock import ManualClock

I_SLICE = bytes((0, 0, 0, 1, 0x65, 0b1011_1000))
P_SLICE = bytes((0, 0, 0, 1, 0x61, 0b1110_0000))
B_SLICE = bytes((0, 0, 0, 1, 0x61, 0b1010_1000))


def unit(number: int, *, run: int = 1, codec: str = "h264", data: bytes = b"") -> AccessUnit:
    """The picture at 25 a second, a key frame every ten."""
    key = number % 10 == 0
    return AccessUnit(
        camera="cam1",
        stream="sub",
        codec=codec,
        key=key,
        cached=False,
        timestamp_90k=number * 3600,
        run=run,
        captured_us=number * 40_000,
        data=data or (I_SLICE if key else P_SLICE),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def channel(clock: ManualClock) -> Channel:
    made = Channel("cam1", "sub", clock)
    for number in range(5):
        made.take(unit(number))
    return made


async def stamps(viewer: Viewer, count: int) -> list[int]:
    return [(await viewer.next()).timestamp_90k for _ in range(count)]


async def test_a_viewer_begins_with_the_cached_gop(channel: Channel, clock: ManualClock) -> None:
    viewer = Viewer(channel, clock)
    assert await stamps(viewer, 5) == [0, 3600, 7200, 10800, 14400]
    channel.take(unit(5))
    assert await stamps(viewer, 1) == [18000]


async def test_pictures_before_the_first_question_do_not_pile_up(
    channel: Channel, clock: ManualClock
) -> None:
    viewer = Viewer(channel, clock)
    for number in range(5, 31):
        channel.take(unit(number))
    first = await viewer.next()
    assert first.data == I_SLICE
    channel.take(unit(31))
    assert await stamps(viewer, 1) == [3600]


async def test_a_lost_picture_is_repeated_at_most_once_a_second(
    channel: Channel, clock: ManualClock
) -> None:
    viewer = Viewer(channel, clock)
    await stamps(viewer, 5)
    viewer.begin_again()  # the first burst is still on its way
    channel.take(unit(5))
    assert await stamps(viewer, 1) == [18000]
    await clock.advance(0.3)
    viewer.begin_again()
    viewer.begin_again()
    repeat = await stamps(viewer, 6)
    assert repeat == [18000 + 30 * count for count in range(1, 7)]
    await clock.advance(0.5)
    viewer.begin_again()
    channel.take(unit(6))
    assert await stamps(viewer, 1) == [21600]


async def test_a_silent_cameras_last_pictures_are_not_repeated(
    channel: Channel, clock: ManualClock
) -> None:
    viewer = Viewer(channel, clock)
    await stamps(viewer, 5)
    await clock.advance(2.1)
    viewer.begin_again()
    channel.take(unit(10))
    channel.take(unit(11))
    assert await stamps(viewer, 2) == [36000, 39600]


async def test_an_old_picture_is_not_shown_to_who_comes_later(
    channel: Channel, clock: ManualClock
) -> None:
    await clock.advance(2.1)
    box = Mailbox()
    channel.attach(box)
    assert len(box) == 0


async def test_a_feed_that_was_away_begins_anew(channel: Channel, clock: ManualClock) -> None:
    viewer = Viewer(channel, clock)
    await stamps(viewer, 5)
    channel.interrupted()
    channel.take(unit(7))
    channel.take(unit(10))
    assert (await viewer.next()).data == I_SLICE


async def test_b_slices_end_every_view_and_refuse_the_next(
    channel: Channel, clock: ManualClock
) -> None:
    viewer = Viewer(channel, clock)
    await stamps(viewer, 5)
    channel.take(unit(6, data=B_SLICE))
    with pytest.raises(SourceEnded, match="b_frames"):
        await viewer.next()
    assert channel.refusal == "b_frames"
    with pytest.raises(SourceEnded, match="b_frames"):
        await Viewer(channel, clock).next()


async def test_a_camera_set_right_is_shown_again(channel: Channel, clock: ManualClock) -> None:
    channel.take(unit(6, codec="h265"))
    assert channel.refusal == "h265"
    channel.take(unit(10, run=2))
    assert channel.refusal == ""
    assert await stamps(Viewer(channel, clock), 1) == [0]


async def test_a_stream_is_judged_after_four_pictures(clock: ManualClock) -> None:
    channel = Channel("cam1", "sub", clock)
    for number in range(4):
        assert not channel.is_judged
        channel.take(unit(number))
    assert channel.is_judged
