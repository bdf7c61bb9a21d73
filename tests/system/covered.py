"""An exam that was commanded in time and is over, and what its box says of it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contract import topics
from contract.bus import Arrival
from contract.messages import (
    CoverageStated,
    Fact,
    GapFound,
    Message,
    Order,
    RecorderBegan,
    SegmentClosed,
)
from edge.recording.statements import state
from tests.fakes.box import FakeBox, segment
from tests.system.webhouse import BASE, House, enrolled_box, load_exams


@dataclass
class Exam:
    """The exam in A101, its order at the box, and what the box has said."""

    house: House
    box: FakeBox
    order: Order
    segments: list[SegmentClosed]
    gaps: list[GapFound]

    async def tell(self, *said: Message) -> list[Fact]:
        facts = [self.box.fact(data) for data in said]
        await self.hear(*facts)
        return facts

    async def hear(self, *facts: Fact) -> None:
        topic = topics.fact(self.box.id)
        arrivals = [Arrival(topic, msgspec.json.encode(fact), False) for fact in facts]
        await self.house.centre.catalogue.take(arrivals)

    def word(self) -> CoverageStated:
        return state(self.order, "main", self.segments, self.gaps)

    async def issue(self) -> list[str]:
        issued = await self.house.centre.certificates.look()
        return [kept.certificate.content.verdict for kept in issued]

    async def get(self, path: str = "") -> Any:
        answer = await self.house.client.get(f"{BASE}/coverage/{self.order.session}{path}")
        assert answer.status == 200, await answer.text()
        return json.loads(await answer.read())


@asynccontextmanager
async def recorded_exam(house: House, tmp_path: Path) -> AsyncGenerator[Exam]:
    """An exam that was commanded in time, recorded whole, and is over; nothing is told yet."""
    async with enrolled_box(house, tmp_path) as box:
        await load_exams(house)
        house.clock.step(-timedelta(hours=1))  # well before its window
        house.centre.dispatch.hear(box.id, box.status())
        assert await house.centre.dispatch.bring_up_to_date() == ["box-1"]
        (session,) = (await (await house.client.get(f"{BASE}/sessions?room=A101")).json())["items"]
        start = datetime.fromisoformat(session["window_start"])
        end = datetime.fromisoformat(session["window_end"])
        order = Order(
            id=f"{session['id']}.cam-01",
            camera="cam-01",
            session=session["id"],
            start=start,
            end=end,
        )
        minutes = int((end - start).total_seconds() // 60)
        whole = [
            segment("cam-01", start + timedelta(minutes=n), root=f"{n:064x}")
            for n in range(minutes)
        ]
        chained = [
            msgspec.structs.replace(one, previous=whole[n - 1].root if n else "")
            for n, one in enumerate(whole)
        ]
        began = start - timedelta(days=2)
        found = Exam(house, box, order, chained, [])
        await found.tell(RecorderBegan(began=began))
        house.clock.step(end + timedelta(seconds=20) - house.clock.now())
        yield found
