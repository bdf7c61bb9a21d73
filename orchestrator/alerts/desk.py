"""The alert desk: raises cases, finds somebody for each, hears the phones, forgets nothing."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from contract import topics
from contract.bus import Arrival, Bus
from contract.clock import Clock
from contract.duty import Ack
from contract.retry import keep
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.alerts import flood, records
from orchestrator.alerts.cases import (
    Case,
    CaseRefused,
    Change,
    Condition,
    Key,
    decline,
    quiet_until,
    receipt,
    reconcile,
    shelve,
    solve,
    take,
)
from orchestrator.alerts.escalation import back, is_stuck, pursue
from orchestrator.alerts.holder import holder_of
from orchestrator.alerts.post import Post
from orchestrator.alerts.views import AlertView, Names, read_names, view
from orchestrator.alerts.watch import Watch
from orchestrator.duty import Duty, roster
from orchestrator.events import Events
from orchestrator.exams import Lead
from orchestrator.ledger import Act, append
from orchestrator.store import Store, StoreAway

log = logging.getLogger(__name__)

ON_PHONE = "solved on the phone"
"""The reason of a case that was solved by a phone's receipt, which carries none."""

_LOOK_EVERY_S = 1.0
_ROOM_FOR = 5000
_FORGOTTEN_AFTER = timedelta(hours=1)
_WAKING = frozenset({"tamper", "camera", "edge", "session", "timetable", "duty", "resync"})

Do = Callable[[Case], Change]


class AlertRefused(Exception):
    """An alert is not changed; `code` is `no_such` or `conflict`."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class Alerts:
    """All open cases. One writer: what changes a case waits for its turn."""

    def __init__(
        self, store: Store, bus: Bus, events: Events, clock: Clock, lead: Lead, duty: Duty
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._lead = lead
        self._duty = duty
        self._post = Post(bus)
        self._watch = Watch(clock.now())
        self._cases: dict[str, Case] | None = None
        self._quiet: dict[Key, datetime] = {}
        self._is_flood = False
        self._names = Names({}, {})
        self._turn = asyncio.Lock()
        self._work = asyncio.Event()
        self._arrivals: asyncio.Queue[Arrival] = asyncio.Queue(_ROOM_FOR)

    # ------------------------------------------------------------ by itself

    async def run(self) -> None:
        """Watch, send and hear until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._post.run(), name="alert post")
            group.create_task(self._wake(), name="alert waking")
            for name, work in (("alerts", self._look_always), ("duty phones", self._hear_all)):
                kept = keep(name, work, on=(StoreAway,), clock=self._clock, log=log)
                group.create_task(kept, name=name)

    async def hear(self, arrival: Arrival) -> None:
        """Take in what a phone says; waits when too much is waiting already.

        Of what is told of alerts only that is of interest which a broker kept too long.
        """
        if topics.is_of_alerts(arrival.topic) and not (arrival.retained and arrival.payload):
            return
        await self._arrivals.put(arrival)

    async def greet(self, bus: Bus) -> None:
        """Publish what stands and send what nobody confirmed, for the broker forgets."""
        del bus
        await self._duty.doubt()
        async with self._turn:
            for case in (await self._open()).values():
                self._post.retain(case, self._names.rooms)
                waiting = [one.phone for one in case.deliveries if one.delivered_at is None]
                self._post.send(case, waiting if case.is_waiting else (), self._names.rooms)
            since = self._clock.now() - _FORGOTTEN_AFTER
            async with self._store.read() as connection:
                for solved in await records.solved_since(connection, since):
                    self._post.put(topics.alert(solved), b"", retain=True)

    async def look(self) -> None:
        """Raise, end, send and escalate what is due now."""
        await self._duty.expire()
        async with self._turn:
            cases = await self._open()
            now = self._clock.now()
            async with self._store.read() as connection:
                seen = await records.read_seen(connection, self._lead, now)
                on_duty = await roster(connection)
                recent = await records.raised_since(connection, now - flood.WITHIN, flood.UNCOUNTED)
            verdicts = self._watch.look(seen, now)
            ours = [case for case in cases.values() if case.kind not in flood.UNCOUNTED]
            floods = [case for case in cases.values() if case.kind == "flood"]
            found = reconcile(
                ours, verdicts.conditions, verdicts.undecided, now, _new_id, self._quiet
            )
            changes = {change.case.id: change for change in found}
            for case in ours:
                changes.setdefault(case.id, Change(case))
            recent += sum(change.case.id not in cases for change in changes.values())
            self._is_flood = flood.is_flood(recent, self._is_flood)
            waiting = [one.case for one in changes.values() if flood.is_held_back(one.case)]
            held = {case.id for case in waiting} if self._is_flood else set()
            withheld = [flood.of_flood(waiting)] if held else []
            for change in reconcile(floods, withheld, (), now, _new_id, self._quiet):
                changes[change.case.id] = change
            for case in floods:
                changes.setdefault(case.id, Change(case))
            for name, change in changes.items():
                if name not in held:
                    changes[name] = change.then(pursue(change.case, on_duty, now))
            duty = [case for case in cases.values() if case.kind == "nobody_reachable"]
            stuck = [
                change.case
                for name, change in changes.items()
                if name not in held and is_stuck(change.case, now)
            ]
            unheard = [_unheard(stuck)] if stuck else []
            for change in reconcile(duty, unheard, (), now, _new_id, self._quiet):
                changes[change.case.id] = change
            for case in duty:
                changes.setdefault(case.id, Change(case))
                shelved = changes[case.id]
                changes[case.id] = shelved.then(pursue(shelved.case, on_duty, now))
            standing = {
                one.key for one in (*verdicts.conditions, *withheld, *unheard)
            } | verdicts.undecided
            self._quiet = {key: until for key, until in self._quiet.items() if key in standing}
            await self._commit(changes.values(), passed_over=verdicts.passed_over)

    async def _look_always(self) -> None:
        while True:
            self._work.clear()
            await self.look()
            await self._pause()

    async def _pause(self) -> None:
        nap = asyncio.ensure_future(self._clock.sleep(_LOOK_EVERY_S))
        work = asyncio.ensure_future(self._work.wait())
        try:
            await asyncio.wait({nap, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            work.cancel()

    async def _wake(self) -> None:
        async with self._events.subscribe() as mailbox:
            async for event in mailbox:
                if event.type in _WAKING:
                    self._work.set()

    # ------------------------------------------------------------ phones

    async def _hear_all(self) -> None:
        while True:
            await self.take_in(await self._arrivals.get())

    async def take_in(self, arrival: Arrival) -> None:
        """Heed a receipt or a presence; nonsense is passed over."""
        if topics.is_of_alerts(arrival.topic):
            await self._take_away(arrival.topic)
            return
        try:
            phone = topics.phone_in(arrival.topic)
            if arrival.topic == topics.duty_presence(phone):
                if await self._duty.hear(phone, arrival.payload):
                    await self._come(phone)
                return
            ack = msgspec.json.decode(arrival.payload, type=Ack)
        except (msgspec.MsgspecError, ValueError) as error:
            log.warning("ignored what came on %s: %s", arrival.topic, error)
            return
        await self._acknowledge(phone, ack)

    async def _take_away(self, topic: str) -> None:
        """Empty what a broker kept of an alert that was solved while it was away."""
        async with self._turn:
            if topic not in map(topics.alert, await self._open()):
                self._post.put(topic, b"", retain=True)

    async def _come(self, phone: str) -> None:
        async with self._turn:
            now = self._clock.now()
            cases = (await self._open()).values()
            await self._commit([back(case, phone, now) for case in cases])
        self._work.set()

    async def _acknowledge(self, phone: str, ack: Ack) -> None:
        """Do what a phone says in the name of its person, as far as that one may."""
        async with self._turn:
            person = await holder_of(self._store, phone)
            if person is None:
                return
            case = (await self._open()).get(ack.id)
            act = Act(person.user, f"{_VERB[ack.state]}_alert", ack.id, source=f"phone:{phone}")
            if case is None:
                if ack.state in ("taken", "solved"):
                    await self._tell_how_it_is(phone, ack.id)
                return
            now = self._clock.now()
            if ack.state in ("delivered", "read"):
                await self._commit([receipt(case, phone, ack.state, now)])
                return
            if not may(person.roles, Action.handle_alerts):
                await self._commit((), acts=[replace(act, result="forbidden")])
                return
            change = receipt(case, phone, "read", now)
            try:
                if ack.state == "declined":
                    change = change.then(decline(change.case, person.id, now, phone))
                elif ack.state == "taken":
                    change = change.then(take(change.case, person.id, now, phone))
                elif ack.state == "solved":
                    change = change.then(solve(change.case, person.id, ON_PHONE, now, phone))
            except CaseRefused as refusal:
                await self._commit([change], acts=[replace(act, result=refusal.code)])
                self._post.send(change.case, [phone], self._names.rooms)
                return
            done = any(step.kind == ack.state for step in change.steps)
            await self._commit([change], acts=[act] if done else [])
        self._work.set()

    async def _tell_how_it_is(self, phone: str, id: str) -> None:
        async with self._store.read() as connection:
            case = await records.one(connection, id)
        if case is not None:
            self._post.send(case, [phone], self._names.rooms)

    # ------------------------------------------------------------ people at a console

    async def take(self, id: str, person: Person, source: str = "") -> AlertView:
        """Let a person deal with an alert; raises AlertRefused."""
        now = self._clock.now()
        act = Act(person.user, "take_alert", id, source=source)
        return await self._do(id, lambda case: take(case, person.id, now), act)

    async def solve(self, id: str, person: Person, reason: str, source: str = "") -> AlertView:
        """Close an alert; raises AlertRefused."""
        now = self._clock.now()
        act = Act(person.user, "solve_alert", id, reason, source=source)
        return await self._do(id, lambda case: solve(case, person.id, reason, now), act)

    async def shelve(
        self, id: str, person: Person, length: timedelta, reason: str, source: str = ""
    ) -> AlertView:
        """Put an alert aside for a while; raises AlertRefused."""
        now = self._clock.now()
        act = Act(person.user, "shelve_alert", id, reason, source=source)
        return await self._do(id, lambda case: shelve(case, person.id, length, reason, now), act)

    async def list(
        self, which: records.Which = "open", after: str = "", limit: int = 100
    ) -> list[AlertView]:
        """Give alerts, newest first, those behind `after`."""
        async with self._store.read() as connection:
            found = await records.listed(connection, which, after, limit)
            names = await read_names(connection)
        return [view(case, names) for case in found]

    async def _do(self, id: str, do: Do, act: Act) -> AlertView:
        async with self._turn:
            case = (await self._open()).get(id)
            if case is None:
                async with self._store.read() as connection:
                    case = await records.one(connection, id)
            try:
                if case is None:
                    raise AlertRefused("no_such")
                change = do(case)
            except CaseRefused as refusal:
                await self._commit((), acts=[replace(act, result=refusal.code)])
                raise AlertRefused("conflict", f"the alert is {refusal.code} already") from refusal
            await self._commit([change], acts=[act] if change.steps else [])
        self._work.set()
        return view(change.case, self._names)

    # ------------------------------------------------------------ within

    async def _open(self) -> dict[str, Case]:
        """Give the open cases; the first time, as the store has them."""
        if self._cases is None:
            async with self._store.read() as connection:
                for case in await records.listed(connection, "closed"):
                    self._hush(case)
                self._cases = {case.id: case for case in await records.open_cases(connection)}
                self._is_flood = any(case.kind == "flood" for case in self._cases.values())
                self._names = await read_names(connection)
        return self._cases

    def _hush(self, case: Case) -> None:
        until = quiet_until(case)
        if until is not None:
            self._quiet[case.key] = max(until, self._quiet.get(case.key, until))

    async def _commit(
        self,
        changes: Iterable[Change],
        acts: Sequence[Act] = (),
        passed_over: Sequence[str] = (),
    ) -> None:
        """Write what changed and then tell it, in this order."""
        cases = await self._open()
        new = [
            change
            for change in changes
            if change.steps or change.occurrences or cases.get(change.case.id) != change.case
        ]
        if not new and not acts and not passed_over:
            return
        now = self._clock.now()
        async with self._store.write() as connection:
            for act in acts:
                await append(connection, act, now)
            for change in new:
                await records.keep(connection, change, now)
            await records.pass_over(connection, passed_over, now)
            self._names = await read_names(connection)
        for change in new:
            case, before = change.case, cases.get(change.case.id)
            if case.is_open:
                cases[case.id] = case
            else:
                cases.pop(case.id, None)
                self._hush(case)
            self._events.publish("alert", case.id, view(case, self._names).as_event(), now)
            self._post.tell(change, before, self._names.rooms)


_VERB = {
    "delivered": "hear",
    "read": "read",
    "taken": "take",
    "declined": "decline",
    "solved": "solve",
}


def _new_id() -> str:
    return f"a{secrets.token_hex(6)}"


def _unheard(stuck: Sequence[Case]) -> Condition:
    return Condition(
        kind="nobody_reachable",
        subject="duty",
        first_at=min(case.raised_at for case in stuck),
        cameras=len(stuck),
    )
