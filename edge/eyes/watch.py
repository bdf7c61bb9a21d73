"""Watching one camera: key pictures one by one, and closely as soon as one looks wrong."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from functools import partial
from typing import ParamSpec, TypeVar

from contract.clock import Clock
from edge.eyes.bursts import LASTS_S, Bursts
from edge.eyes.decoding import RGB, Picture, PictureBroken
from edge.eyes.film import Film, Place
from edge.eyes.golden import Sitting, keep_view
from edge.eyes.sight import Sight
from edge.eyes.telling import Telling
from edge.eyes.views import NORMAL, View, Views
from edge.eyes.voting import EXACT, OF, Vote, Voting
from edge.feed import AccessUnit

log = logging.getLogger(__name__)

_UNFIT = EXACT | {"dark", "glare", "snow", "blocks"}
"""Of these no reference view is taken; whether one shows the right view, a person decides."""
_KEYS_S = 2.0
"""Where key pictures are further apart than this, others are looked at too."""
_ALONG = timedelta(seconds=1)
_T = TypeVar("_T")
_P = ParamSpec("_P")


class Watch:
    """One camera, from the feed's pictures to the facts about them."""

    def __init__(
        self,
        camera: str,
        reference: str,
        views: Views,
        telling: Telling,
        bursts: Bursts,
        threads: Executor,
        clock: Clock,
    ) -> None:
        self.camera = camera
        self.reference = reference
        """The approved view's hash; may change at any time."""
        self.is_asked = False
        """A new reference view is wished for."""
        self.dropped = 0
        """Key pictures that nobody looked at, because newer ones had come."""
        self._views = views
        self._telling = telling
        self._bursts = bursts
        self._threads = threads
        self._clock = clock
        self._film = Film()
        self._voting = Voting()
        self._sitting: Sitting | None = None
        self._normal: list[RGB] = []
        self._run: int | None = None
        self._along: Place | None = None
        self._is_broken = False

    def take(self, unit: AccessUnit) -> None:
        """Take a picture from the feed."""
        self._film.add(unit)

    def interrupted(self) -> None:
        """Know that the feed was cut."""
        self._film.break_off()

    async def run(self) -> None:
        """Look until cancelled."""
        self._voting = Voting(await self._telling.open(self.camera))
        try:
            while True:
                await self._look_by(self.reference)
        finally:
            self._views.left(self.camera)

    async def _look_by(self, reference: str) -> None:
        """Look for as long as this is the approved view."""
        view = await self._in_thread(self._views.open, self.camera, reference)
        sight = Sight(view.judge)
        self._normal = []
        if not view.has_reference and not await self._has_candidate():
            self._sitting = Sitting()
        seen: Place | None = None
        looked_at = self._clock.monotonic()
        while self.reference == reference:
            newest = self._film.newest
            if newest is None or (newest == seen and self._clock.monotonic() - looked_at < _KEYS_S):
                await self._film.grown()
                continue
            looked_at = self._clock.monotonic()
            if newest == seen:
                seen = await self._look_along(sight, newest)
                continue
            if seen is not None:
                self.dropped += newest.group - seen.group - 1
            seen, picture = await self._look(sight, newest)
            self._along = None
            if picture is not None and not view.is_calibrated:
                view = await self._gather(view, reference, picture)
                sight.judge = view.judge

    async def _look(self, sight: Sight, place: Place) -> tuple[Place, Picture | None]:
        """Look at a key picture; gives where it stopped, and the picture if it was normal."""
        unit = self._film.key(place)
        if unit is None:
            return place, None
        if unit.run != self._run:
            self._run = unit.run
            self._voting.begin_anew()
        try:
            picture, vote = await self._in_thread(sight.key, unit)
            self._said(None)
            await self._sit(picture, vote)
            if not self._voting.is_suspicious(vote):
                await self._vote(vote)
                return place, picture if vote.verdict == "clear" else None
            with self._bursts.room_for(self.camera) as is_granted:
                if is_granted:
                    return await self._look_closely(sight, place, vote.captured_at), None
            await self._vote(vote)
        except PictureBroken as error:
            self._said(error)
        return place, None

    async def _look_along(self, sight: Sight, place: Place) -> Place:
        """Look once a second at what follows a key picture, where the next is long in coming."""
        if self._along is None:
            self._along = place
            sight.begin()
        units, self._along = self._film.since(self._along)
        after = self._voting.last_at
        try:
            for vote in await self._in_thread(sight.along, units, after, _ALONG):
                if self._voting.is_suspicious(vote):
                    with self._bursts.room_for(self.camera) as is_granted:
                        if is_granted:
                            self._along = None
                            return await self._look_closely(sight, place, vote.captured_at)
                await self._vote(vote)
        except PictureBroken as error:
            self._said(error)
        return place

    async def _look_closely(self, sight: Sight, place: Place, suspected_at: datetime) -> Place:
        """Look at what follows the key picture before, for some seconds; gives where it ends."""
        sight.begin()
        place = self._film.back(place)
        until = self._clock.monotonic() + LASTS_S
        later = 0
        while self._clock.monotonic() < until:
            units, place = self._film.since(place)
            if not units:
                await self._grown(until)
                continue
            for vote in await self._in_thread(sight.along, units, self._voting.last_at):
                later += vote.captured_at >= suspected_at
                if await self._vote(vote) or (later >= OF and self._voting.is_settled):
                    return Place(place.group)
        return Place(place.group)

    async def _grown(self, until: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
                await self._film.grown()
        except TimeoutError:
            return

    async def _vote(self, vote: Vote) -> bool:
        """Take a vote and tell what it decides; True if it decides anything."""
        changes = self._voting.add(vote)
        for change in changes:
            await self._telling.changed(self.camera, change, self._views.model.fingerprint)
        return bool(changes)

    async def _has_candidate(self) -> bool:
        known = await self._telling.candidate(self.camera)
        return bool(known) and self._views.references.place(self.camera, known).exists()

    async def _sit(self, picture: Picture, vote: Vote) -> None:
        """Take a reference view, where one is missing or wished for."""
        if self.is_asked:
            self.is_asked, self._sitting = False, Sitting()
        if self._sitting is None:
            return
        chosen = self._sitting.add(picture, is_clear=vote.verdict not in _UNFIT)
        if chosen is None:
            return
        self._sitting = None
        references, rgb = self._views.references, chosen.picture.rgb
        sha256 = await self._in_thread(keep_view, references, self.camera, rgb)
        at = chosen.picture.captured_at
        await self._telling.taken(self.camera, sha256, at, chosen.sharpness)

    async def _gather(self, view: View, reference: str, picture: Picture) -> View:
        """Gather normal pictures; gives the calibrated view once there are enough."""
        if not self._views.may_calibrate(self.camera):
            return view
        self._normal.append(picture.rgb)
        if len(self._normal) < NORMAL:
            return view
        normal, self._normal = self._normal, []
        try:
            return await self._in_thread(
                self._views.calibrate, self.camera, reference, view.judge, normal
            )
        finally:
            self._views.left(self.camera)

    def _said(self, error: PictureBroken | None) -> None:
        """Log when pictures begin and cease to be broken."""
        if error is not None and not self._is_broken:
            log.warning("%s: pictures cannot be decoded: %s", self.camera, error)
        elif error is None and self._is_broken:
            log.info("%s: pictures can be decoded again", self.camera)
        self._is_broken = error is not None

    async def _in_thread(self, work: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(work, *values, **named))
