"""One camera's stream: pulled as long as it is wanted, shown, kept, and its state said."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contract.clock import Clock
from contract.messages import (
    CameraChanged,
    CameraStatus,
    ContactChanged,
    Stream,
    StreamState,
)
from contract.retry import backoff
from edge.feedserver import FeedServer
from edge.journal import from_us
from edge.recording.gaps import Failure
from edge.recording.recorder import Recorder
from edge.rtsp.intake import Picture
from edge.rtsp.login import Login
from edge.rtsp.player import Player
from edge.rtsp.session import Address, CameraLost, Target, pull
from edge.rtsp.spacing import Spacing
from edge.rtsp.sweep import Sweep

log = logging.getLogger(__name__)

_STALE_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.4, 5.0
_LOGIN_PAUSE_S = (30.0, 45.0)
"""A refused log-in is not hammered: cameras lock accounts."""
_FAILURES_KEPT = 200
_STATES: dict[str, StreamState] = {
    "stalled": "stalled",
    "lost": "lost",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream comes from. Two that are equal need no new session."""

    url: str
    user: str
    password: str
    switch: str
    fault: str = ""
    """Why it cannot be pulled at all; empty: it can."""

    def __repr__(self) -> str:
        return f"<Origin behind {self.switch or 'an unknown switch'}>"


class CameraStream:
    """What the box does with one stream, and knows of it."""

    def __init__(
        self,
        key: tuple[str, Stream],
        recorder: Recorder,
        feed: FeedServer,
        clock: Clock,
        changed: Callable[[CameraChanged | ContactChanged], None],
        clock_trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.key = key
        self.recorder = recorder
        self.failures: list[Failure] = []
        self.player: Player | None = None
        self._feed = feed
        self._clock = clock
        self._changed = changed
        self._clock_trusted = clock_trusted
        self._sessions = 0
        self._state: StreamState = "off"
        self._cause = ""
        self._told: tuple[str, str] = ("off", "")
        self._run = 0
        self._picture_at = 0.0
        self._captured_us = 0

    @property
    def state(self) -> StreamState:
        """What is to be seen of the stream now."""
        silent = self._clock.monotonic() - self._picture_at > _STALE_S
        return "stalled" if self._state == "streaming" and silent else self._state

    def status(self) -> CameraStatus:
        """Give what the box's heartbeat says of it."""
        return CameraStatus(
            camera=self.key[0],
            stream=self.key[1],
            state=self.state,
            cause=self._cause,
            last_frame_at=from_us(self._captured_us) if self._captured_us else None,
            bitrate_bps=self.player.bitrate_bps if self.player else 0,
            recording=self.recorder.is_recording,
        )

    def playing(self, player: Player) -> None:
        """The stream was started; nothing has come yet."""
        self.player = player
        player.watch(self._feed.is_watched(self.key))

    def receive(self, pictures: list[Picture]) -> None:
        """Show and keep what came; nothing: write what is collected."""
        self.recorder.take(pictures)
        if not pictures:
            return
        self._feed.publish(self.key, pictures)
        self._picture_at = self._clock.monotonic()
        self._captured_us = pictures[-1].captured_us
        if self._state != "streaming":
            self._become("streaming")

    def watched(self, is_watched: bool) -> None:
        """Choose between each picture at once and big pieces."""
        if self.player is not None:
            self.player.watch(is_watched)

    def clock_stepped(self) -> None:
        """Begin a new run: wall clock and media time belong together anew."""
        self.fail(Failure(self._clock.now(), "clock_step", "the box's clock was set"))
        self.recorder.end()
        if self.player is not None:
            self.player.step()

    def fail(self, failure: Failure) -> None:
        """Remember why pictures are missing."""
        self.failures.append(failure)
        del self.failures[:-_FAILURES_KEPT]

    async def pull(
        self,
        origin: Origin,
        sweep: Sweep,
        spacing: Spacing,
        may_contact: Callable[[str], bool],
    ) -> None:
        """Pull until cancelled, again after each loss."""
        pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        since, self._sessions = self._clock.now(), 0
        self._tell_contact("opened", since)
        self._become("connecting")
        try:
            while True:
                began = self._clock.monotonic()
                try:
                    await spacing.wait(origin.switch)
                    await self._pull_once(origin, sweep, may_contact)
                except CameraLost as loss:
                    self._lose(loss)
                    if self._clock.monotonic() - began > 30:
                        pauses = backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
                    await self._clock.sleep(_pause(loss, next(pauses)))
        finally:
            self._end()
            self._become("off")
            self._tell_contact("closed", since)

    async def _pull_once(
        self, origin: Origin, sweep: Sweep, may_contact: Callable[[str], bool]
    ) -> None:
        if origin.fault:
            raise CameraLost("refused", origin.fault)
        target = Target(
            Address.parse(origin.url),
            Login(origin.user, origin.password) if origin.user else None,
        )
        self._sessions += 1
        self._run = max(self._run + 1, int(self._clock.now().timestamp() * 1000))
        try:
            await pull(target, self, sweep, self._clock, run=self._run, may_contact=may_contact)
        finally:
            if self.player is not None:  # a clock that stepped has begun runs of its own
                self._run = max(self._run, self.player.run)
            self.player = None

    def _lose(self, loss: CameraLost) -> None:
        self.fail(Failure(self._clock.now(), loss.cause, loss.detail))
        self._end()
        self._become(_STATES.get(loss.cause, "refused"), loss.cause, loss.detail)

    def _tell_contact(self, state: Literal["opened", "closed"], since: datetime) -> None:
        self._changed(
            ContactChanged(
                camera=self.key[0],
                stream=self.key[1],
                state=state,
                since=since,
                sessions=self._sessions,
                clock="trusted" if self._clock_trusted() else "untrusted",
            )
        )

    def _end(self) -> None:
        self.recorder.end()
        self._feed.forget(self.key)

    def _become(self, state: StreamState, cause: str = "", detail: str = "") -> None:
        self._state, self._cause = state, cause
        if state == "connecting" or (state, cause) == self._told:
            return
        self._told = (state, cause)
        log.info("%s/%s %s %s", *self.key, state, detail)
        self._changed(
            CameraChanged(
                camera=self.key[0], stream=self.key[1], state=state, cause=cause, detail=detail
            )
        )


def _pause(loss: CameraLost, usual: float) -> float:
    return random.uniform(*_LOGIN_PAUSE_S) if loss.cause == "auth" else usual
