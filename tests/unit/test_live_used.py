from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.live.used import KEPT, Use, UsedTickets

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=2)


async def test_the_first_to_claim_a_ticket_has_it_also_after_a_restart(tmp_path: Path) -> None:
    async with UsedTickets.open(tmp_path / "live.sqlite") as used:
        assert await used.claim("t1", "live", NOW, UNTIL)
        assert not await used.claim("t1", "live", NOW, UNTIL)
    async with UsedTickets.open(tmp_path / "live.sqlite") as used:
        assert not await used.claim("t1", "live", NOW, UNTIL)
        assert await used.claim("t2", "live", NOW, UNTIL)


async def test_a_use_is_remembered_with_what_and_when(tmp_path: Path) -> None:
    async with UsedTickets.open(tmp_path / "live.sqlite") as used:
        assert await used.use_of("t1") is None
        await used.claim("t1", "cam1/a.mp4", NOW, UNTIL)
        assert await used.use_of("t1") == Use("cam1/a.mp4", NOW)


async def test_tickets_are_forgotten_a_day_after_their_end(tmp_path: Path) -> None:
    async with UsedTickets.open(tmp_path / "live.sqlite") as used:
        await used.claim("t1", "live", NOW, UNTIL)
        await used.claim("t2", "live", UNTIL + KEPT - timedelta(seconds=1), UNTIL)
        assert await used.use_of("t1") is not None
        await used.claim("t3", "live", UNTIL + KEPT + timedelta(seconds=1), UNTIL)
        assert await used.use_of("t1") is None
