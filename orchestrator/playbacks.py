"""Play sessions: who watches which footage and why, and what of it was really sent."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.clock import Clock
from contract.retry import keep
from contract.spans import Span
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.ledger import SYSTEM, Act, Ledger, append
from orchestrator.playedspans import Played, note_reported, note_served, tell
from orchestrator.recordings import PlaybackRefused
from orchestrator.store import Store, StoreAway
from orchestrator.store.tables import alerts, cameras, deliveries, logins, playbacks

log = logging.getLogger(__name__)

MOST_CAMERAS = 4
MOST_OF_A_PERSON = 3
"""Open play sessions: a page, a second screen, and one that a lost page left behind."""
LONGEST_SPAN = timedelta(hours=25)
"""A day of the site, also the one on which the clocks go back."""
LASTS = timedelta(hours=4)
REPLAY_LASTS = timedelta(minutes=10)
REPLAY_BEFORE = timedelta(seconds=30)
"""How long before it was raised an alert's footage begins."""
IDLE_AFTER = timedelta(minutes=15)
"""As a log-in (DOMAIN §8): a page that was left open ends by itself."""
TELL_EVERY = timedelta(minutes=5)
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Playback:
    """A play session."""

    id: str
    person: str
    """The id of the user."""
    user: str
    login: str
    cameras: tuple[str, ...]
    span: Span
    reason: str
    alert: str | None
    """The open alert whose duty persons may look; None: a session of the exam office."""
    until: datetime


class Playbacks:
    """Every play session. `run` ends them and writes down what was watched."""

    def __init__(self, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock

    # ------------------------------------------------------------ opening

    async def open(
        self, person: Person, wanted: Sequence[str], span: Span, reason: str, source: str = ""
    ) -> Playback:
        """Begin a session; raises PlaybackRefused. Both outcomes stand in the ledger.

        Codes: `forbidden`, `reason_required`, `bad_request`, `no_such`, `too_many_playbacks`.
        """
        now = self._clock.now()
        made = _made(person, tuple(wanted), span, reason, None, now + LASTS)
        act = Act(person.user, "open_playback", _object(made), reason[:500], source=source)
        try:
            if not may(person.roles, Action.play_recording):
                raise PlaybackRefused("forbidden")
            if len(reason.strip()) < 2:
                raise PlaybackRefused("reason_required")
            if not 1 <= len(set(wanted)) == len(wanted) <= MOST_CAMERAS:
                raise PlaybackRefused("bad_request", f"1 to {MOST_CAMERAS} cameras, each once")
            if not timedelta() < span.end - span.start <= LONGEST_SPAN:
                raise PlaybackRefused("bad_request", "a session spans at most a day")
            await self._begin(made, act, now)
        except PlaybackRefused as refusal:
            await self._ledger.record(replace(act, result=refusal.code))
            raise
        return made

    async def replay(self, person: Person, alert: str, source: str = "") -> Playback:
        """Begin a short session of an open alert's camera, for those who deal with it.

        Raises PlaybackRefused: `forbidden`, `no_such`, `alert_closed`, `not_on_duty` for whoever
        neither took it nor was sent it, `no_camera` where it concerns no camera,
        `too_many_playbacks`.
        """
        act = Act(person.user, "replay_alert", alert[:200], source=source)
        now = self._clock.now()
        try:
            if not may(person.roles, Action.handle_alerts):
                raise PlaybackRefused("forbidden")
            async with self._store.read() as connection:
                case = await _case_for(connection, person, alert)
            if case.camera is None:
                raise PlaybackRefused("no_camera", "the alert concerns no single camera")
            span = Span(min(case.raised_at, now) - REPLAY_BEFORE, now)
            made = _made(person, (case.camera,), span, case.kind, alert, now + REPLAY_LASTS)
            act = replace(act, object=f"{alert} {_object(made)}")
            await self._begin(made, act, now)
        except PlaybackRefused as refusal:
            await self._ledger.record(replace(act, result=refusal.code))
            raise
        return made

    async def _begin(self, made: Playback, act: Act, now: datetime) -> None:
        async with self._store.write() as connection:
            known = select(cameras.c.id).where(cameras.c.id.in_(made.cameras))
            if set(await connection.scalars(known)) != set(made.cameras):
                raise PlaybackRefused("no_such", "there is no such camera")
            mine = select(func.count()).where(
                playbacks.c.user_id == made.person, playbacks.c.ended_at.is_(None)
            )
            if int(await connection.scalar(mine) or 0) >= MOST_OF_A_PERSON:
                raise PlaybackRefused("too_many_playbacks")
            row = await append(connection, act, now)
            await connection.execute(
                insert(playbacks).values(
                    id=made.id,
                    user_id=made.person,
                    user=made.user,
                    login=made.login,
                    cameras=list(made.cameras),
                    starts_at=made.span.start,
                    ends_at=made.span.end,
                    reason=made.reason,
                    alert=made.alert,
                    ledger=row,
                    began_at=now,
                    seen_at=now,
                    view_until=made.until,
                )
            )

    # ------------------------------------------------------------ while it lasts

    async def admit(self, person: Person, playback: str) -> Playback:
        """Give one's own session while it lasts; raises PlaybackRefused.

        `no_such` for another's, `playback_ended`, `forbidden` once the role is gone,
        `alert_closed`, `not_on_duty`.
        """
        async with self._store.read() as connection:
            row = (
                await connection.execute(select(playbacks).where(playbacks.c.id == playback))
            ).first()
            if row is None or row.user_id != person.id or row.login != person.login:
                raise PlaybackRefused("no_such")
            if row.ended_at is not None or self._clock.now() >= row.view_until:
                raise PlaybackRefused("playback_ended")
            if row.alert is not None:
                if not may(person.roles, Action.handle_alerts):
                    raise PlaybackRefused("forbidden")
                await _case_for(connection, person, row.alert)
            elif not may(person.roles, Action.play_recording):
                raise PlaybackRefused("forbidden")
        return _playback(row)

    async def serve(self, playback: Playback, camera: str, span: Span) -> None:
        """Write down that this footage is about to be sent. Only then may it be."""
        now = self._clock.now()
        async with self._store.write() as connection:
            await self._touch(connection, playback.id, now)
            await note_served(connection, playback.id, camera, span, now)

    async def from_copy(self, playback: Playback, segment: str) -> None:
        """Write down that a recording is shown from its second copy: its box cannot be asked."""
        what = f"{playback.id} {segment}"
        await self._ledger.record(
            Act(playback.user, "play_recording", what[:500], result="from_archive")
        )

    async def report(self, person: Person, playback: str, said: Sequence[Played]) -> None:
        """Keep what the page says was watched, and how fast; raises PlaybackRefused.

        It stands beside what was sent, never instead of it.
        """
        found = await self.admit(person, playback)
        if any(one.camera not in found.cameras for one in said):
            raise PlaybackRefused("outside_span", "a camera that is not of this session")
        now = self._clock.now()
        async with self._store.write() as connection:
            await self._touch(connection, found.id, now)
            await note_reported(connection, found.id, said, now)

    async def end(self, person: Person, playback: str) -> None:
        """End one's own session; raises PlaybackRefused."""
        query = select(playbacks).where(
            playbacks.c.id == playback, playbacks.c.user_id == person.id
        )
        async with self._store.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise PlaybackRefused("no_such")
        if row.ended_at is None:
            await self._close(row, "ended by the viewer")

    async def refuse(self, person: Person, what: str, code: str, source: str) -> None:
        """Write down that a part of a session was refused."""
        act = Act(person.user, "play_recording", what[:500], result=code, source=source)
        await self._ledger.record(act)

    # ------------------------------------------------------------ by itself

    async def run(self) -> None:
        """End what is over and write down what was watched, until cancelled."""

        async def forever() -> None:
            while True:
                await self.review()
                await self._clock.sleep(_LOOK_EVERY_S)

        await keep("playbacks", forever, on=(StoreAway,), clock=self._clock, log=log)

    async def review(self) -> None:
        """End sessions whose leave is over; tell the ledger what the others have watched."""
        now = self._clock.now()
        query = (
            select(
                playbacks,
                logins.c.ended_at.label("left_at"),
                alerts.c.solved_at.label("solved_at"),
            )
            .join(logins, logins.c.id == playbacks.c.login)
            .outerjoin(alerts, alerts.c.id == playbacks.c.alert)
            .where(playbacks.c.ended_at.is_(None))
        )
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            why = _over(row, now)
            if why:
                await self._close(row, why)
            elif now - (row.told_at or row.began_at) >= TELL_EVERY:
                async with self._store.write() as connection:
                    await tell(connection, row, now)

    async def _touch(self, connection: AsyncConnection, playback: str, now: datetime) -> None:
        """Note a visit; raises PlaybackRefused for a session that ended meanwhile."""
        done = await connection.execute(
            update(playbacks)
            .where(playbacks.c.id == playback, playbacks.c.ended_at.is_(None))
            .values(seen_at=now)
        )
        if not done.rowcount:
            raise PlaybackRefused("playback_ended")

    async def _close(self, row: Row[Any], why: str) -> None:
        now = self._clock.now()
        async with self._store.write() as connection:
            done = await connection.execute(
                update(playbacks)
                .where(playbacks.c.id == row.id, playbacks.c.ended_at.is_(None))
                .values(ended_at=now, ended_why=why)
            )
            if done.rowcount:
                await tell(connection, row, now)
                await append(connection, Act(SYSTEM, "end_playback", row.id, why), now)


def _over(row: Row[Any], now: datetime) -> str:
    """Say why a session is over; empty: it is not."""
    if row.left_at is not None:
        return "logged out"
    if row.alert is not None and row.solved_at is not None:
        return "the alert was closed"
    if now >= row.view_until:
        return "its time was over"
    return "idle" if now - row.seen_at >= IDLE_AFTER else ""


async def _case_for(connection: AsyncConnection, person: Person, alert: str) -> Row[Any]:
    """Give the open alert that this person deals with; raises PlaybackRefused."""
    case = (await connection.execute(select(alerts).where(alerts.c.id == alert))).first()
    if case is None:
        raise PlaybackRefused("no_such")
    if case.solved_at is not None:
        raise PlaybackRefused("alert_closed")
    sent = select(deliveries.c.phone).where(
        deliveries.c.alert == alert, deliveries.c.person == person.id
    )
    if case.taken_by != person.id and (await connection.execute(sent)).first() is None:
        raise PlaybackRefused("not_on_duty")
    return case


def _made(
    person: Person,
    wanted: tuple[str, ...],
    span: Span,
    reason: str,
    alert: str | None,
    until: datetime,
) -> Playback:
    return Playback(
        id=f"p{secrets.token_hex(8)}",
        person=person.id,
        user=person.user,
        login=person.login,
        cameras=wanted,
        span=span,
        reason=reason.strip()[:500],
        alert=alert,
        until=until,
    )


def _playback(row: Row[Any]) -> Playback:
    return Playback(
        id=row.id,
        person=row.user_id,
        user=row.user,
        login=row.login,
        cameras=tuple(row.cameras),
        span=Span(row.starts_at, row.ends_at),
        reason=row.reason,
        alert=row.alert,
        until=row.view_until,
    )


def _object(made: Playback) -> str:
    start, end = made.span.start, made.span.end
    return (
        f"{made.id} {' '.join(made.cameras)} {start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"[
            :500
        ]
    )
