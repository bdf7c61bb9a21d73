"""A whole life of footage in accelerated time: real files, a real journal, a box with a history."""

from datetime import datetime, timedelta
from pathlib import Path

from contract.messages import HoldReleased
from contract.retention import Window, retain_until
from contract.spans import Span
from tests.fakes.shelf import Shelf, TurnedClock, hold

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
CAMERAS = ("c1", "c2")
EXAMS_AT = (9, 14)
OFFLINE = range(8, 15)
"""A week without centre, while nothing is due yet."""
CUT_OFF = range(38, 40)
"""Two days without centre, while something is due every day."""
HELD_DAY = 3
RELEASED_ON = 44
LAST_DAY = 62
RECORDED_DAYS = 20


async def test_thirty_days_and_what_may_happen_in_them(tmp_path: Path) -> None:
    clock = TurnedClock()
    began = clock.now().replace(hour=0)
    clock.step(began - clock.now())
    terms: dict[Path, datetime] = {}
    held: set[Path] = set()
    gone: dict[Path, datetime] = {}
    evidence = hold("h1", "c1", began + HELD_DAY * DAY, began + (HELD_DAY + 1) * DAY)
    released = HoldReleased(hold="h1", ledger=1, approved_by=("li", "wang"))
    async with Shelf.open(tmp_path / "box", clock) as shelf:
        for hour in range(LAST_DAY * 24):
            clock.turn(began + hour * HOUR - clock.now())
            day, of_day = divmod(hour, 24)
            if day < RECORDED_DAYS and of_day in EXAMS_AT:
                window = Window(clock.now() - HOUR / 2, clock.now() + 2 * HOUR + HOUR / 4)
                for camera in CAMERAS:
                    shelf.order(f"s{hour}.{camera}", camera, window.start, window.end)
                    await shelf.remover.look()
                    file = await shelf.record(camera)
                    span = Span(clock.now() - MINUTE, clock.now())
                    terms[file] = retain_until(span, [window])
                    if camera == "c1" and day == HELD_DAY:
                        held.add(file)
            if day in (5, 33) and of_day == 3:
                shelf.restart()
            if day not in OFFLINE and day not in CUT_OFF:
                if day < RELEASED_ON:
                    shelf.hear(clock.now(), evidence)
                else:
                    shelf.hear(clock.now(), released=(released,))
            await shelf.remover.look()
            gone |= {file: clock.now() for file in terms.keys() - gone.keys() if not file.exists()}
        records = {shelf.data / one.path: one for one in await shelf.terms.deletions()}
        deferred = {name for fact in await shelf.facts("deferred") for name in fact["segments"]}  # type: ignore[attr-defined]  # plain JSON
    assert len(terms) == RECORDED_DAYS * len(EXAMS_AT) * len(CAMERAS)
    assert gone.keys() == terms.keys() == records.keys()
    back = began + CUT_OFF.stop * DAY
    release = began + RELEASED_ON * DAY
    for file, term in terms.items():
        asked = max(term, release) if file in held else term
        is_cut_off = (asked - began) // DAY in CUT_OFF
        assert gone[file] >= asked, "early"
        assert gone[file] <= max(asked, back if is_cut_off else asked) + HOUR, "late"
        assert records[file].deleted_at == gone[file]
        assert records[file].holds == (("h1",) if file in held else ())
        assert (records[file].segment in deferred) is (is_cut_off and file not in held)
