"""What the broker's plugin answers, and what anybody else says where its answers come."""

import asyncio
from typing import Any

import msgspec
import pytest

from contract.bus import Arrival, BrokerAddress
from orchestrator import logins
from orchestrator.guestbook import BrokerRefused, GuestBook
from tests.fakes.clock import ManualClock
from web.translation import problem_of


class Asked:
    """A book whose broker is this test: what it asks is noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        admin = BrokerAddress("127.0.0.1", 1, "admin", "")
        self.book = GuestBook(admin, ManualClock(), [], lambda user: True)
        self.commands: list[dict[str, Any]] = []
        monkeypatch.setattr(self.book._bus, "publish", self._publish)

    async def _publish(self, topic: str, payload: bytes, **_: object) -> None:
        assert topic == logins.CONTROL
        self.commands += msgspec.json.decode(payload)["commands"]

    @property
    def token(self) -> str:
        return str(self.commands[-1]["correlationData"])

    async def hears(self, answer: object) -> None:
        payload = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        await self.book._hear(Arrival(logins.ANSWERS, payload, retained=False))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


async def begun(asked: Asked, work: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.ensure_future(work)
    while not asked.commands:
        await asyncio.sleep(0)
    return task


async def test_no_two_admins_of_a_broker_ask_under_the_same_token(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Asked(monkeypatch)
    tasks = [await begun(one, one.book.users()) for one in (asked, other)]
    await other.hears({"responses": [{"correlationData": asked.token, "data": {"clients": []}}]})
    assert asked.token != other.token
    assert not tasks[1].done()
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize(
    "nonsense",
    [b"\xff", b"[]", b'{"responses": 1}', b'{"responses": [1]}', {"responses": [{"command": 1}]}],
)
async def test_what_cannot_be_read_is_passed_over(asked: Asked, nonsense: object) -> None:
    task = await begun(asked, asked.book.users())
    await asked.hears(nonsense)
    client = {"username": "edge.b1"}
    answer = {"correlationData": asked.token, "data": {"clients": [client]}}
    await asked.hears({"responses": [answer]})
    assert await task == {"edge.b1"}


async def test_a_refused_log_in_is_told_as_a_broker_that_is_not_ready(asked: Asked) -> None:
    task = await begun(asked, asked.book.add_edge("b1", "password"))
    refused = {"correlationData": asked.token, "command": "createClient", "error": "no room"}
    await asked.hears({"responses": [refused]})
    with pytest.raises(BrokerRefused) as error:
        await task
    problem = problem_of(error.value)
    assert problem is not None
    assert problem.code == "not_ready"


async def test_a_log_in_that_the_broker_does_not_end_stops_nothing_else(asked: Asked) -> None:
    task = await begun(asked, asked.book.remove_phone("p1"))
    refused = {"correlationData": asked.token, "command": "modifyClient", "error": "no"}
    await asked.hears({"responses": [refused]})
    await task
