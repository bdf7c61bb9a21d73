"""The one place that speaks MQTT: a connection that comes back by itself."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import aiomqtt

from contract.clock import Clock
from contract.retry import keep

log = logging.getLogger(__name__)

_KEEPALIVE_S = 15
_OUT_LIMIT = 2000
_IN_LIMIT = 5000
_FINISHES_WITHIN_S = 60.0


class BusDown(Exception):
    """The broker is not reachable now, or refused; what was published may not have arrived."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    certificate: str = ""
    """PEM to pin for TLS; empty: plain TCP."""
    named: bool = False
    """TLS that checks the host's name, by the authorities of `certificate` or of the system."""

    def for_user(self, user: str, password: str) -> "BrokerAddress":
        """Give the same place for another log-in."""
        return replace(self, user=user, password=password)

    def tls(self) -> ssl.SSLContext | None:
        """Give how to speak TLS there; None for plain TCP."""
        if self.named:
            return ssl.create_default_context(cadata=self.certificate or None)
        if not self.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the pin says more than a name
        context.load_verify_locations(cadata=self.certificate)
        return context


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this connection is lost."""

    topic: str
    payload: bytes


class Bus:
    """One client at the broker. `run` owns the connection; `publish` uses it while it is up."""

    def __init__(
        self, address: BrokerAddress, client_id: str, clock: Clock, will: Will | None = None
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._clock = clock
        self._will = will
        self._client: aiomqtt.Client | None = None
        self._lost = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """True while connected and subscribed."""
        return self._client is not None

    async def run(
        self,
        subscriptions: tuple[str, ...],
        on_connect: Callable[["Bus"], Awaitable[None]],
        on_message: Callable[[Arrival], Awaitable[None]],
    ) -> None:
        """Stay connected until cancelled.

        After each connect the subscriptions stand, then `on_connect` runs (to publish what is
        retained), then messages are handed on one at a time, in order. Never trust the broker for
        delivery: whoever must know, asks for an answer. Messages that wait when the connection is
        lost are dropped; the one in hand has a minute to finish.
        """

        async def connected_once() -> None:
            try:
                async with self._open() as client:
                    _heed_cancellation()
                    for topic in subscriptions:
                        await _subscribe(client, topic)
                    self._client = client
                    log.info("broker connected as %s", self._client_id)
                    await self._serve(client, on_connect, on_message)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                raise BusDown(str(error)) from error
            finally:
                self._client = None

        await keep("broker", connected_once, on=(BusDown,), clock=self._clock, log=log)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's acknowledgement; raises BusDown.

        A connection lost meanwhile is an error at once, not only after the time allowed.
        """
        client = self._client
        if client is None:
            raise BusDown("not connected")
        try:
            sending = client.publish(topic, payload, qos=1, retain=retain, timeout=10)
            await _unless(self._lost, sending)
        except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
            raise BusDown(str(error)) from error

    async def subscribe(self, topic: str) -> None:
        """Subscribe until the next reconnect; raises BusDown, also when refused."""
        client = self._client
        if client is None:
            raise BusDown("not connected")
        try:
            await _subscribe(client, topic)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            raise BusDown(str(error)) from error

    async def _serve(
        self,
        client: aiomqtt.Client,
        on_connect: Callable[["Bus"], Awaitable[None]],
        on_message: Callable[[Arrival], Awaitable[None]],
    ) -> None:
        inbox: asyncio.Queue[Arrival | None] = asyncio.Queue(_IN_LIMIT)
        self._lost = lost = asyncio.Event()

        async def receive() -> None:
            """Take what comes, to notice the end also while a message is being handled."""
            dropped = 0
            try:
                async for message in client.messages:
                    arrival = Arrival(
                        str(message.topic), _payload(message.payload), bool(message.retain)
                    )
                    if inbox.full():
                        dropped += 1
                        if dropped == 1:
                            log.warning("more messages than can be handled: the newest are dropped")
                    else:
                        inbox.put_nowait(arrival)
            finally:
                lost.set()
                while not inbox.empty():  # whoever sent them asks for an answer
                    inbox.get_nowait()
                inbox.put_nowait(None)

        async def handle() -> None:
            while (arrival := await inbox.get()) is not None:
                await on_message(arrival)

        receiving = asyncio.create_task(receive(), name="bus receiving")
        greeting = asyncio.create_task(self._greet(on_connect), name="bus greeting")
        handling = asyncio.create_task(handle(), name="bus messages")
        tasks = (handling, greeting, receiving)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            if receiving.done():
                self._client = None
                greeting.cancel()
                # the message in hand is not torn, unless it never ends
                await asyncio.wait({handling}, timeout=_FINISHES_WITHIN_S)
            for task in tasks:  # a listener's own fault before the broker's
                if task.done() and not task.cancelled():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _greet(self, on_connect: Callable[["Bus"], Awaitable[None]]) -> None:
        await on_connect(self)

    def _open(self) -> aiomqtt.Client:
        will = self._will
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.user,
            password=self._address.password,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=_KEEPALIVE_S,
            timeout=10,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
            tls_context=self._address.tls(),
            max_queued_incoming_messages=_IN_LIMIT,
            max_queued_outgoing_messages=_OUT_LIMIT,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )


async def _unless(lost: asyncio.Event, sending: Coroutine[Any, Any, None]) -> None:
    """Await the sending; raises BusDown when the connection is lost before."""
    both = (
        asyncio.create_task(sending, name="bus publish"),
        asyncio.create_task(lost.wait(), name="bus lost"),
    )
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not both[0].done():
            raise BusDown("connection lost")
        both[0].result()
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def _subscribe(client: aiomqtt.Client, topic: str) -> None:
    codes = await client.subscribe(topic, qos=1)
    _heed_cancellation()
    if any((code if isinstance(code, int) else code.value) >= 0x80 for code in codes):
        raise BusDown(f"may not subscribe to {topic}")


def _heed_cancellation() -> None:
    """Raise the cancellation that aiomqtt's `wait_for` swallows at times, before Python 3.12."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _payload(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else str(payload or "").encode()
