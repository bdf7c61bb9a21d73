"""The centre: all its services put together, and what it does by itself."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from contract import topics
from contract.bus import Arrival, Bus
from contract.clock import Clock
from contract.enrolment import Enrol
from contract.messages import EdgeStatus
from contract.objects import Objects
from contract.retry import keep
from orchestrator.accounts import Accounts
from orchestrator.alerts.desk import Alerts
from orchestrator.anchoring import Anchoring
from orchestrator.archive import Archive
from orchestrator.archiveexpiry import ArchiveExpiry
from orchestrator.boxes import Boxes
from orchestrator.broker import Broker, Listener
from orchestrator.capacity import Capacity
from orchestrator.catalogue import Catalogue
from orchestrator.certificates.office import Certificates
from orchestrator.certificates.reading import Site as CertifiedSite
from orchestrator.config import Config
from orchestrator.copiedfootage import CopiedFootage
from orchestrator.covers import is_over
from orchestrator.dispatch import Dispatcher
from orchestrator.doors import Doors
from orchestrator.duty import Duty
from orchestrator.enrolment import BrokerDoor, Enrolment, passwords
from orchestrator.events import Events
from orchestrator.evidence.exports import Exports
from orchestrator.evidence.maker import Maker
from orchestrator.exams import Lead
from orchestrator.holdlists import HoldLists
from orchestrator.holds import Holds, Limits
from orchestrator.keyring import Keyring
from orchestrator.ledger import Ledger
from orchestrator.logins import box
from orchestrator.looks import Looks
from orchestrator.outages import Outages
from orchestrator.outside import OutsideBroker
from orchestrator.phones import Phones, phone_guests
from orchestrator.playbacks import Playbacks
from orchestrator.recordings import Recordings
from orchestrator.references import References
from orchestrator.retention import Retention
from orchestrator.revoked import follow_revocations
from orchestrator.screening import Screening
from orchestrator.sessions import Sessions
from orchestrator.site import Site
from orchestrator.store import Store, StoreAway
from orchestrator.timetables import Timetables

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Centre:
    """The services, ready to be used; `run` does what goes on without anybody asking."""

    config: Config
    clock: Clock
    keyring: Keyring = field(repr=False)
    store: Store
    events: Events
    ledger: Ledger
    anchoring: Anchoring
    accounts: Accounts
    site: Site
    sessions: Sessions
    timetables: Timetables
    capacity: Capacity
    broker: Broker | OutsideBroker
    door: BrokerDoor
    bus: Bus
    boxes: Boxes
    enrolment: Enrolment
    dispatch: Dispatcher
    catalogue: Catalogue
    looks: Looks
    recordings: Recordings
    exports: Exports
    playbacks: Playbacks
    screening: Screening
    archive_expiry: ArchiveExpiry | None
    doors: Doors
    references: References
    phones: Phones
    duty: Duty
    alerts: Alerts
    holds: Holds
    outages: Outages
    hold_lists: HoldLists
    retention: Retention
    certificates: Certificates

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config, clock: Clock) -> AsyncGenerator["Centre"]:
        """Open everything: keys, store, broker. Raises KeysDamaged, StoreUnavailable, BrokerFailed.

        Stopping the broker and closing the store are the last things done.
        """
        keyring = Keyring.open(config.keys, clock.now())
        async with (
            Store.open(config.database_url) as store,
            _open_broker(config, keyring, store, clock) as broker,
            Boxes.open(store, keyring) as boxes,
        ):
            yield _compose(config, clock, keyring, store, broker, boxes)

    @property
    def set_up_secret(self) -> str | None:
        """The site's offline key, PEM: there once, at the very first opening."""
        return self.keyring.site_secret

    async def run(self) -> None:
        """Serve boxes and the clock until cancelled; a broker or box that is away ends nothing."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.broker.run(), name="broker")
            group.create_task(self._listen(), name="bus")
            group.create_task(self.catalogue.run(), name="catalogue")
            group.create_task(self.dispatch.run(), name="dispatch")
            group.create_task(self.holds.run(), name="holds")
            group.create_task(self.hold_lists.run(), name="hold lists")
            group.create_task(self.looks.run(), name="looks")
            group.create_task(self.exports.run(), name="evidence")
            group.create_task(self.playbacks.run(), name="playbacks")
            group.create_task(self.doors.run(), name="doors")
            group.create_task(self.phones.run(), name="phones")
            group.create_task(self.alerts.run(), name="alerts")
            group.create_task(self.certificates.run(), name="certificates")
            if self.archive_expiry is not None:
                group.create_task(self._expire(self.archive_expiry), name="archive expiry")
            group.create_task(self.anchoring.run(self.dispatch.publish_all), name="anchors")
            group.create_task(
                follow_revocations(self.store, self.clock, self._throw_out), name="revocations"
            )

    async def enrol(self, request: Enrol, source: str = "") -> bytes:
        """Let a box in; gives the signed `Enrolled`. Raises EnrolRefused."""
        answer = await self.enrolment.enrol(request, source)
        self.dispatch.touch()
        return answer

    async def revoke(self, edge: str, by: str, reason: str, source: str = "") -> None:
        """Refuse a box everywhere from now on; raises EnrolRefused when there is none."""
        await self.looks.end_all(edge, "the box was revoked")
        await self.enrolment.revoke(edge, by, reason, source)
        await self.dispatch.forget(edge)
        await self.hold_lists.forget(edge)

    async def _throw_out(self, edge: str) -> None:
        await self.looks.end_all(edge, "the box was revoked")
        await self.broker.book.remove_edge(edge)
        await self.dispatch.forget(edge)
        await self.hold_lists.forget(edge)

    async def _expire(self, expiry: ArchiveExpiry) -> None:
        """Let copies go, once terms are what the classes say: a stop may have come between."""
        terms = self.retention.raise_terms
        await keep("terms", terms, on=(StoreAway,), clock=self.clock, log=log)
        await expiry.run()

    async def _listen(self) -> None:
        async def greet(bus: Bus) -> None:
            await self.dispatch.greet(bus)
            await self.hold_lists.greet(bus)
            await self.doors.greet(bus)
            await self.alerts.greet(bus)

        async def hear(arrival: Arrival) -> None:
            if topics.is_of_duty(arrival.topic) or topics.is_of_alerts(arrival.topic):
                await self.alerts.hear(arrival)
            else:
                await self.catalogue.hear(arrival)

        boxes = (topics.EVERY_STATUS, topics.EVERY_FACT)
        phones = (topics.EVERY_ACK, topics.EVERY_PRESENCE)
        await self.bus.run((*boxes, *phones, topics.EVERY_ALERT), greet, hear)


@asynccontextmanager
async def _open_broker(
    config: Config, keyring: Keyring, store: Store, clock: Clock
) -> AsyncGenerator[Broker | OutsideBroker]:
    guests = [box(edge, secret) for edge, secret in (await passwords(store, keyring)).items()]
    guests += await phone_guests(store, keyring.seal)
    outside = config.broker.outside()
    if outside is not None:
        secret = config.broker.asking_secret()
        yield (
            OutsideBroker.asking(outside, secret, guests)
            if secret
            else OutsideBroker.told(outside, clock, guests)
        )
        return
    listener = None
    if config.broker.tls_port is not None:
        tls = (keyring.certificate_path, keyring.key_path)
        listener = Listener(config.broker.host, config.broker.tls_port, *tls)
    async with Broker.open(
        config.data / "broker", config.broker.port or free_port(), clock, guests, listener
    ) as broker:
        yield broker


def free_port() -> int:
    """Find a TCP port on 127.0.0.1 that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _door(config: Config, keyring: Keyring, broker: Broker | OutsideBroker) -> BrokerDoor:
    if isinstance(broker, OutsideBroker):
        there = broker.address
        return BrokerDoor(there.host, there.port, there.certificate, there.named)
    if config.broker.tls_port is None:
        return BrokerDoor("127.0.0.1", broker.port)
    return BrokerDoor(config.broker.host, config.broker.tls_port, keyring.certificate)


def _compose(
    config: Config,
    clock: Clock,
    keyring: Keyring,
    store: Store,
    broker: Broker | OutsideBroker,
    boxes: Boxes,
) -> Centre:
    lead = Lead(
        timedelta(minutes=config.lead_in_minutes), timedelta(minutes=config.lead_out_minutes)
    )
    events = Events(clock)
    ledger = Ledger(store, clock)
    accounts = Accounts(store, clock, config.sign_in)
    bus = Bus(broker.address, "xunkao-centre", clock)
    door = _door(config, keyring, broker)
    anchoring = Anchoring(ledger, keyring.identity, clock)
    playbacks = Playbacks(store, ledger, clock)
    dispatch = Dispatcher(store, keyring, bus, events, clock, lead, anchor=lambda: anchoring.newest)
    hold_lists = HoldLists(store, keyring, bus, clock, lead)
    limits = Limits(config.holds.owner_gigabytes * 10**9, config.holds.site_gigabytes * 10**9)
    duty = Duty(store, events, clock)
    capacity = Capacity(store, clock, lead, config.timezone)
    objects = None if config.archive is None else Objects.of(config.archive)
    archive = Archive.of(store, config.archive, config.keys)
    recordings = Recordings(store, ledger, boxes, keyring.ticket, clock, archive)

    def heard(edge: str, status: EdgeStatus) -> None:
        dispatch.hear(edge, status)
        hold_lists.hear(edge, status)

    copies = None if archive is None else CopiedFootage(archive)
    maker = Maker(store, ledger, boxes, keyring, clock, config.site_name, config.timezone, copies)

    async def applied(edges: frozenset[str]) -> None:
        dispatch.touch()
        events.publish("timetable", "", {"edges": sorted(edges)})

    return Centre(
        config=config,
        clock=clock,
        keyring=keyring,
        store=store,
        events=events,
        ledger=ledger,
        anchoring=anchoring,
        accounts=accounts,
        site=Site(store, clock, config.camera_subnets, keyring.seal),
        sessions=Sessions(store, clock, lead),
        timetables=Timetables(store, clock, lead, config.timezone, applied, capacity=capacity),
        capacity=capacity,
        broker=broker,
        door=door,
        bus=bus,
        boxes=boxes,
        enrolment=Enrolment(store, keyring, events, clock, broker.book, door),
        dispatch=dispatch,
        catalogue=Catalogue(store, bus, events, clock, lead, heard),
        looks=Looks(store, ledger, boxes, keyring.ticket, accounts.holder, clock, lead),
        exports=Exports(store, ledger, events, clock, maker, config.exports),
        recordings=recordings,
        playbacks=playbacks,
        screening=Screening(
            store,
            recordings,
            playbacks,
            boxes,
            keyring.ticket,
            clock,
            copies,
        ),
        archive_expiry=(None if objects is None else ArchiveExpiry(store, objects, clock, is_over)),
        doors=Doors(store, bus, events, clock, lead),
        references=References(store, ledger, boxes, keyring.ticket, events, clock, dispatch.touch),
        phones=Phones(store, broker.book, bus, keyring.seal, clock),
        duty=duty,
        outages=Outages(store, events, clock, lead),
        alerts=Alerts(store, bus, events, clock, lead, duty),
        holds=Holds(store, events, clock, limits, hold_lists.touch),
        hold_lists=hold_lists,
        retention=Retention(store, clock, lead),
        certificates=Certificates(
            store,
            keyring.attest,
            events,
            clock,
            CertifiedSite(config.site_name, config.timezone, lead),
        ),
    )
