"""The feed's caches and its policy for slow readers."""

import asyncio
from pathlib import Path

from edge.feed import BUFFER_LIMIT, receive, wish
from edge.feedserver import FeedServer, unit_of
from edge.recording.gop import GopCache
from edge.rtsp.intake import Picture
from edge.rtsp.lengths import joined
from tests.fakes.encoder import parameter_sets
from tests.fakes.waiting import until

SETS = parameter_sets("h264")


def picture(number: int, *, key: bool = False, size: int = 10, run: int = 1) -> Picture:
    nal = (b"\x65" if key else b"\x41") + bytes(size)
    return Picture(number * 3600, number, run, key, joined([nal]), SETS)


def test_the_cache_holds_what_came_since_the_last_key_picture() -> None:
    cache = GopCache()
    for number in range(10):
        cache.add([picture(number, key=number in {3, 7})])
    assert [one.timestamp_90k // 3600 for one in cache.pictures] == [7, 8, 9]


def test_the_cache_is_empty_before_a_key_picture_and_when_it_grows_too_large() -> None:
    cache = GopCache(limit=100)
    cache.add([picture(0)])
    assert cache.pictures == []
    for number in range(1, 5):
        cache.add([picture(number, key=number == 1, size=30)])
    assert cache.pictures == []


def test_the_cache_does_not_mix_runs() -> None:
    cache = GopCache()
    cache.add([picture(0, key=True)])
    cache.add([picture(1, run=2)])
    assert cache.pictures == []


def test_a_read_with_several_pictures_leaves_what_it_would_have_left_one_by_one() -> None:
    some = [picture(number, key=number in {2, 5}, run=1 + number // 8) for number in range(9)]
    for cut in range(1, len(some)):
        single, cache = GopCache(), GopCache()
        for one in some[:cut]:
            single.add([one])
        cache.add(some[:cut])
        assert cache.pictures == single.pictures
        for one in some[cut:]:
            single.add([one])
        cache.add(some[cut:])
        assert cache.pictures == single.pictures == []


def test_a_key_picture_carries_its_parameter_sets() -> None:
    unit = unit_of(("c1", "main"), picture(0, key=True, size=1), cached=True)
    assert unit.data == SETS.annex_b + b"\0\0\0\1\x65\0"
    assert unit_of(("c1", "main"), picture(1, size=1), cached=False).data == b"\0\0\0\1\x41\0"


async def test_a_slow_reader_loses_pictures_up_to_the_next_key_and_nobody_waits(
    tmp_path: Path,
) -> None:
    async with FeedServer.open(tmp_path / "feed.sock") as feed:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "feed.sock", limit=65536)
        writer.write(wish([("c1", "main")]))
        await until(lambda: feed.is_watched(("c1", "main")))
        big = 1 << 20
        for number in range(20):  # never read: beyond 4 MB they are dropped
            feed.publish(("c1", "main"), [picture(number, key=number == 0, size=big)])
        assert feed.dropped >= 20 - 1 - BUFFER_LIMIT // big - 2
        seen = [await receive(reader) for _ in range(3)]
        assert [unit.timestamp_90k for unit in seen] == [0, 3600, 7200]
        dropped = feed.dropped
        feed.publish(("c1", "main"), [picture(20)])
        assert feed.dropped == dropped + 1
        while (unit := await receive(reader)).timestamp_90k != 21 * 3600:
            feed.publish(("c1", "main"), [picture(21, key=True)])
        assert unit.key
        writer.close()
        await writer.wait_closed()


async def test_the_newest_wish_stands_and_watching_is_said(tmp_path: Path) -> None:
    said: list[tuple[tuple[str, str], bool]] = []
    async with FeedServer.open(tmp_path / "feed.sock") as feed:
        feed.on_watched = lambda key, watched: said.append((key, watched))
        reader, writer = await asyncio.open_unix_connection(tmp_path / "feed.sock")
        feed.publish(("c1", "main"), [picture(0, key=True)])
        writer.write(wish([("c1", "main")]))
        unit = await receive(reader)
        assert (unit.cached, unit.timestamp_90k) == (True, 0)
        writer.write(wish([("c1", "sub")]))
        await until(lambda: len(said) == 3)
        feed.publish(("c1", "main"), [picture(1)])
        feed.publish(("c1", "sub"), [picture(2, key=True)])
        assert (await receive(reader)).stream == "sub"
        writer.close()
        await writer.wait_closed()
        await until(lambda: len(said) == 4)
    assert said == [
        (("c1", "main"), True),
        (("c1", "main"), False),
        (("c1", "sub"), True),
        (("c1", "sub"), False),
    ]


async def test_a_reader_of_nothing_is_watching_nothing(tmp_path: Path) -> None:
    async with FeedServer.open(tmp_path / "feed.sock") as feed:
        _, writer = await asyncio.open_unix_connection(tmp_path / "feed.sock")
        feed.publish(("c1", "main"), [picture(0, key=True)])
        assert not feed.is_watched(("c1", "main"))
        writer.close()
        await writer.wait_closed()
