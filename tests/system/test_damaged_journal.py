"""A whole box, real processes, whose journal is no journal: it records on and says so."""

from pathlib import Path

import msgspec

from contract import topics
from contract.clock import SystemClock
from contract.messages import Fact, ProcessLost, ShelfTrouble, Source, data_of
from edge import agent
from edge import orders as in_force
from edge.orders import OrdersInForce
from orchestrator.logins import user_of
from tests.fakes.broker import Listening, background, running_broker
from tests.fakes.cameras import running_cameras
from tests.fakes.enrolled import Centre, enrolled_box, state_for, toml_of
from tests.fakes.waiting import until


async def test_a_box_whose_journal_is_damaged_records_on_and_tells_it(tmp_path: Path) -> None:
    centre, clock = Centre.make(), SystemClock()
    async with (
        running_cameras(1) as farm,
        running_broker(tmp_path / "broker", {"box-1": "secret-of-box-1"}) as broker,
    ):
        config, keys = enrolled_box(
            tmp_path / "box",
            centre,
            port=broker.port,
            user=user_of("box-1"),
            password="secret-of-box-1",
        )
        path = tmp_path / "edge.toml"
        path.write_text(toml_of(config))
        source = Source(main=farm.url("cam-01"), sub=farm.url("cam-01", "sub"))
        state = state_for(keys, {"cam-01": source})
        orders = in_force.adopt(OrdersInForce(), state, clock.now())
        in_force.save(config.orders, orders)
        config.journal.write_bytes(b"this is no database" * 500)
        ear = Listening(broker.address, "test-centre", topics.EVERY_STATUS, topics.EVERY_FACT)

        def told(kind: type) -> list[object]:
            raw = ear.payloads(topics.fact("box-1"))
            facts = (data_of(msgspec.json.decode(one, type=Fact)) for one in raw)
            return [fact for fact in facts if isinstance(fact, kind)]

        def growing() -> int:
            return sum(part.stat().st_size for part in config.shelf.rglob("*.part"))

        async with ear.on(), background(agent.run(config, path, clock)) as box:
            await until(growing, 60, "a picture on disk")
            await until(lambda: told(ShelfTrouble), 60, "the fact")
            before = growing()
            await until(lambda: growing() > before, what="more pictures")
            assert not box.done()
        (trouble,) = told(ShelfTrouble)
        assert isinstance(trouble, ShelfTrouble)
        assert trouble.kind == "quarantined"
        lost = [one.process for one in told(ProcessLost) if isinstance(one, ProcessLost)]
        assert "recorder" not in lost
