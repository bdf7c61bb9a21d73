"""The recorder's side of the feed: shows what comes to whoever wants it, and waits for nobody."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from contract.messages import Stream
from edge.feed import BUFFER_LIMIT, AccessUnit, encode
from edge.recording.gop import GopCache
from edge.rtsp.intake import Picture
from edge.rtsp.parameters import START_CODE

log = logging.getLogger(__name__)

Key = tuple[str, Stream]
_LINE_LIMIT = 1 << 20


def unit_of(key: Key, picture: Picture, *, cached: bool) -> AccessUnit:
    """Give a picture as it travels in the feed."""
    data = START_CODE + START_CODE.join(picture.nals)
    if picture.key:
        data = picture.parameters.annex_b + data
    return AccessUnit(
        camera=key[0],
        stream=key[1],
        codec=picture.parameters.codec,
        key=picture.key,
        cached=cached,
        timestamp_90k=picture.timestamp_90k,
        run=picture.run,
        captured_us=picture.captured_us,
        data=data,
    )


class _Reader:
    """One connection: what it wants, and which streams wait for a key picture."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self.wants: frozenset[Key] = frozenset()
        self.dropped = 0
        self._transport = transport
        self._waiting: set[Key] = set()

    def begin(self, key: Key, cached: list[Picture]) -> None:
        """Send the cached pictures; without any, wait for the next key picture."""
        self._waiting.add(key)
        for picture in cached:
            self.send(key, picture.key, encode(unit_of(key, picture, cached=True)))

    def end(self, key: Key) -> None:
        """Forget a stream it no longer wants."""
        self._waiting.discard(key)

    def send(self, key: Key, is_key: bool, frame: bytes) -> None:
        """Send one access unit, or drop it: whole, and on to the next key picture."""
        if key in self._waiting and not is_key:
            self.dropped += 1
            return
        if self._transport.get_write_buffer_size() + len(frame) > BUFFER_LIMIT:
            if key not in self._waiting:
                log.warning("a reader of the feed is too slow for %s/%s", *key)
            self._waiting.add(key)
            self.dropped += 1
            return
        self._waiting.discard(key)
        self._transport.write(frame)

    def close(self) -> None:
        """Let go of it."""
        self._transport.abort()


class FeedServer:
    """Keeps each stream's GOP and hands pictures to the readers that want them."""

    def __init__(self) -> None:
        self.on_watched: Callable[[Key, bool], None] = lambda _key, _watched: None
        self._caches: dict[Key, GopCache] = {}
        self._readers: dict[Key, set[_Reader]] = {}
        self._open: set[_Reader] = set()
        self._dropped_before = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncGenerator["FeedServer"]:
        """Listen at a local socket until the end."""
        feed = cls()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(feed._serve, path, limit=_LINE_LIMIT)
        path.chmod(0o600)
        try:
            yield feed
        finally:
            server.close()
            for reader in tuple(feed._open):
                reader.close()
            path.unlink(missing_ok=True)

    @property
    def dropped(self) -> int:
        """How many access units slow readers did not get."""
        return self._dropped_before + sum(reader.dropped for reader in self._open)

    def is_watched(self, key: Key) -> bool:
        """True while somebody wants this stream."""
        return bool(self._readers.get(key))

    def publish(self, key: Key, pictures: list[Picture]) -> None:
        """Hand pictures on; never waits."""
        cache = self._caches.get(key)
        if cache is None:
            cache = self._caches[key] = GopCache()
        cache.add(pictures)
        if readers := self._readers.get(key):
            for picture in pictures:
                frame = encode(unit_of(key, picture, cached=False))
                for reader in readers:
                    reader.send(key, picture.key, frame)

    def forget(self, key: Key) -> None:
        """Drop a stream's cache: what it holds is past."""
        self._caches.pop(key, None)

    async def _serve(self, lines: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        transport.set_write_buffer_limits(high=BUFFER_LIMIT)
        reader = _Reader(transport)
        self._open.add(reader)
        try:
            while line := await lines.readline():
                wanted = msgspec.json.decode(line, type=list[tuple[str, Stream]])
                self._become(reader, frozenset(wanted))
        except (msgspec.MsgspecError, ValueError) as error:
            log.warning("a reader of the feed sent what is no wish: %s", error)
        except ConnectionError:
            pass
        finally:
            self._become(reader, frozenset())
            self._open.discard(reader)
            self._dropped_before += reader.dropped
            reader.close()

    def _become(self, reader: _Reader, wanted: frozenset[Key]) -> None:
        surplus, missing = reader.wants - wanted, wanted - reader.wants
        reader.wants = wanted
        for key in surplus:
            reader.end(key)
            self._readers[key].discard(reader)
            if not self._readers[key]:
                del self._readers[key]
                self.on_watched(key, False)
        for key in sorted(missing):
            cache = self._caches.get(key)
            reader.begin(key, cache.pictures if cache else [])
            readers = self._readers.setdefault(key, set())
            readers.add(reader)
            if len(readers) == 1:
                self.on_watched(key, True)
