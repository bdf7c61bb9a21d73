"""Which pictures are kept, and in which file."""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.spans import Span
from edge.journal import from_us, to_us
from edge.recording.adoption import adopt, cut, name_of, set_aside, unfinished
from edge.recording.coverage import Coverage
from edge.recording.names import Name, parse
from edge.recording.recorder import Cuts, Recorder
from edge.recording.sealing import seal
from edge.recording.segment import Finished, ShelfBroken
from edge.rtsp.intake import Picture
from edge.rtsp.lengths import joined
from edge.rtsp.parameters import Parameters
from tests.fakes.clock import ManualClock
from tests.fakes.encoder import parameter_sets, pictures
from tests.fakes.oracle import decode
from tests.fakes.pictures import moved
from tests.guard.sealed_guard import by_hand

SETS = parameter_sets("h264")
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def shot(second: float, *, run: int = 1, parameters: Parameters = SETS) -> Picture:
    """A picture captured so many seconds after START; each whole second is a key picture."""
    key = second == int(second)
    nal = (b"\x65" if key else b"\x41") + b"picture" * 20
    captured = to_us(START + timedelta(seconds=second))
    return Picture(2**32 + round(second * 90_000), captured, run, key, joined([nal]), parameters)


def shots(
    first: float, last: float, *, run: int = 1, parameters: Parameters = SETS
) -> list[Picture]:
    """Pictures of 25 a second, `last` not among them."""
    numbers = range(round(first * 25), round(last * 25))
    return [shot(number / 25, run=run, parameters=parameters) for number in numbers]


@dataclass
class Desk:
    """A recorder with what it hands over."""

    shelf: Path
    seconds: int = 60
    clock: ManualClock = field(default_factory=ManualClock)
    finished: list[Finished] = field(default_factory=list)
    troubles: list[ShelfBroken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.coverage = Coverage()
        self.recorder = Recorder(
            ("c1", "main"),
            self.shelf,
            Cuts(self.seconds, 0),
            self.coverage,
            self.clock,
            self.finished.append,
            self.troubles.append,
        )

    def windows(self, *seconds: tuple[float, float]) -> None:
        spans = [Span(self.at(start), self.at(end)) for start, end in seconds]
        self.recorder.keep(spans)

    def take(self, pictures: list[Picture], size: int = 10) -> None:
        for begin in range(0, len(pictures), size):
            self.recorder.take(pictures[begin : begin + size])

    @staticmethod
    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    def spans(self) -> list[tuple[float, float]]:
        """The finished files, in seconds since START."""
        return [
            (
                (from_us(one.name.start_us) - START).total_seconds(),
                round((from_us(one.end_us) - START).total_seconds(), 3),
            )
            for one in self.finished
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "shelf")
    yield desk
    desk.recorder.end()
    for finished in desk.finished:
        os.close(finished.fd)


def test_nothing_is_kept_outside_windows(desk: Desk) -> None:
    desk.take(shots(0, 5))
    desk.windows((10, 20))
    desk.take(shots(5, 9))
    assert not desk.recorder.is_recording
    assert not desk.shelf.exists()


def test_a_window_begins_with_the_key_picture_before_it_and_ends_with_it(desk: Desk) -> None:
    desk.windows((2.5, 5.5))
    desk.take(shots(0, 8))
    assert desk.spans() == [(2.0, 5.52)]
    assert desk.troubles == []


def test_files_are_cut_at_key_pictures_after_the_minute(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0.04, 200))
    desk.recorder.end()
    assert desk.spans() == [(1.0, 60.0), (60.0, 120.0), (120.0, 180.0), (180.0, 200.0)]


def test_a_new_run_begins_a_new_file_at_its_key_picture(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 3))
    desk.take(shots(10.4, 12, run=2))
    desk.recorder.end()
    assert desk.spans() == [(0.0, 3.0), (11.0, 12.0)]


def test_other_parameter_sets_begin_a_new_file(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.take(shots(2, 4, parameters=parameter_sets("h264", 640, 360)))
    desk.recorder.end()
    assert desk.spans() == [(0.0, 2.0), (2.0, 4.0)]


def test_what_is_collected_is_written_when_nothing_comes(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 0.08))
    assert desk.coverage.spans() == []
    desk.recorder.take([])
    assert desk.coverage.spans() == [Span(desk.at(0), desk.at(0.08))]


def test_no_fragment_is_longer_than_half_a_second(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.recorder.take(shots(0, 10))
    desk.recorder.end()
    assert desk.finished[0].fragments >= 20


def test_a_pause_within_a_file_is_not_covered(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.take([])
    desk.take([picture for picture in shots(5, 7) if not picture.key])
    desk.recorder.end()
    assert len(desk.finished) == 1
    assert desk.coverage.spans() == [
        Span(desk.at(0), desk.at(2)),
        Span(desk.at(5.04), desk.at(7)),
    ]


def late(pictures: list[Picture], seconds: float) -> list[Picture]:
    """The same pictures, thought to be captured so much later."""
    return [moved(picture, by_us=round(seconds * 1_000_000)) for picture in pictures]


def test_a_start_that_was_taken_too_late_is_corrected(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(late(shots(0, 2), 1.4))
    desk.take(shots(2, 4))
    desk.recorder.end()
    assert desk.spans() == [(0.0, 4.0)]
    assert desk.coverage.spans()[0].start == desk.at(0)
    assert name_of(desk.finished[0].part, desk.shelf) != desk.finished[0].name


def test_time_that_turns_out_to_be_later_begins_a_new_file(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.take(late(shots(2, 4), 3))
    desk.recorder.end()
    assert desk.spans() == [(0.0, 2.0), (5.0, 7.0)]


def test_windows_taken_away_end_the_file(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 3))
    desk.windows()
    assert desk.spans() == [(0.0, 3.0)]


async def test_a_shelf_that_takes_nothing_is_said_and_tried_again_later(desk: Desk) -> None:
    desk.shelf.write_text("a file where a folder should be")
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    assert len(desk.troubles) == 1
    assert not desk.troubles[0].is_full
    desk.shelf.unlink()
    desk.take(shots(2, 4))
    assert not desk.recorder.is_recording
    await desk.clock.advance(3.1)
    desk.take(shots(4, 6))
    assert desk.recorder.is_recording


def test_a_file_that_may_not_grow_ends_at_its_last_whole_fragment(desk: Desk) -> None:
    desk.windows((0, 1000))
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, allowed[1]))
    try:
        desk.take(shots(0, 5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert desk.troubles[0].is_full
    (finished,) = desk.finished
    assert finished.part.stat().st_size == finished.size < 9_000
    found = adopt(finished.part, finished.name)
    os.close(found.fd)
    assert (found.root, found.fragments) == (finished.root, finished.fragments)


def test_a_start_that_is_taken_gets_the_next_millisecond(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.end()
    desk.take(shots(0, 2, run=2))
    desk.recorder.end()
    assert [one.name.stamp for one in desk.finished] == ["20261122T080000000", "20261122T080000001"]


def test_a_sealed_file_stands_under_its_name_for_reading_alone(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.end()
    finished = desk.finished.pop()
    place = seal(finished, desk.shelf)
    assert place == desk.shelf / "c1" / "2026-11-22" / "20261122T080000000.mp4"
    assert place.stat().st_mode & 0o777 == 0o440
    assert place.stat().st_size == finished.size


@given(cut=st.integers(0, 3000))
def test_a_torn_file_is_adopted_up_to_its_last_whole_fragment(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("torn"))
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.end()
    finished = desk.finished.pop()
    os.truncate(finished.fd, finished.size - cut)
    os.close(finished.fd)
    assert unfinished(desk.shelf) == [finished.part]
    name = name_of(finished.part, desk.shelf)
    assert name == finished.name
    found = adopt(finished.part, name)
    os.close(found.fd)
    assert found.adopted
    assert found.size == finished.part.stat().st_size <= finished.size - cut
    assert found.fragments <= finished.fragments
    assert (found.root == finished.root) == (cut == 0)
    assert found.end_us == finished.end_us or cut


def test_an_adopted_file_is_the_same_as_a_finished_one(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.end()
    finished = desk.finished[0]
    found = adopt(finished.part, finished.name)
    os.close(found.fd)
    assert found == Finished(
        finished.name,
        finished.part,
        found.fd,
        finished.end_us,
        finished.size,
        finished.fragments,
        finished.root,
        adopted=True,
    )


def test_a_file_without_a_whole_fragment_is_not_adopted_and_set_aside(tmp_path: Path) -> None:
    part = tmp_path / "shelf" / "c1" / "2026-11-22" / "20261122T080000000.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"\0\0\0\x10ftyp")
    name = name_of(part, tmp_path / "shelf")
    assert name is not None
    with pytest.raises(ValueError, match="does not begin like a segment"):
        adopt(part, name)
    for number in ("", ".1"):
        place = set_aside(part, tmp_path)
        assert place == tmp_path / "quarantine" / part.relative_to(tmp_path).with_name(
            part.name + number
        )
        part.write_bytes(b"again")


def test_a_sealed_file_that_changed_is_not_adopted(desk: Desk) -> None:
    desk.windows((0, 1000))
    desk.take(shots(0, 2))
    desk.recorder.end()
    place = seal(desk.finished.pop(), desk.shelf)
    with by_hand(), place.open("ab") as file:
        file.write(b"more")
    name = name_of(place, desk.shelf)
    assert name is not None
    with pytest.raises(ValueError, match="has changed since"):
        adopt(place, name)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["main", "sub"]))
def test_names_read_back(ms: int, stream: str) -> None:
    name = Name("cam-1", "sub" if stream == "sub" else "main", ms * 1000)
    assert parse(PurePosixPath(name.file(Path(), "mp4"))) == name


@pytest.mark.parametrize(
    "path",
    [
        "20261122T080000000.mp4",
        "c1/20261122T080000000.mp4",
        "c1/2026-11-23/20261122T080000000.mp4",
        "c1/2026-11-22/20261322T080000000.mp4",
        "c1/2026-11-22/20261122T080000000.mkv",
        "c1/2026-11-22/a/20261122T080000000.mp4",
    ],
)
def test_other_names_are_not_ours(path: str) -> None:
    assert parse(PurePosixPath(path)) is None


def test_cuts_are_staggered_and_always_the_same() -> None:
    offsets = {Cuts.staggered((f"c{n}", "main"), 60).offset_us // 6_000_000 for n in range(64)}
    assert offsets == set(range(10))
    assert Cuts.staggered(("c1", "main"), 60) == Cuts.staggered(("c1", "main"), 60)


@given(st.integers(0, 10**15), st.integers(1, 600), st.floats(0, 0.999))
def test_a_file_lasts_from_half_to_one_and_a_half_of_its_time(
    us: int, seconds: int, share: float
) -> None:
    cuts = Cuts(seconds, int(share * seconds * 1_000_000))
    lasts = cuts.after(us) - us
    assert seconds * 500_000 <= lasts <= seconds * 1_500_000


def test_a_recorded_file_decodes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    taken = pictures("h264", 30, start_us=to_us(START))
    desk.windows((0, 1000))
    desk.take(taken)
    desk.recorder.end()
    place = seal(desk.finished.pop(), tmp_path)
    assert len(decode(place).times) == 30


def test_what_the_disk_did_not_take_is_cut_off_and_no_longer_on_record(desk: Desk) -> None:
    desk.windows((0, 60))
    desk.take(shots(0, 4))
    segment = desk.recorder.growing
    assert segment is not None
    segment.synced(segment.written)
    safe_us = segment.span_us[1]
    desk.take(shots(4, 8))
    desk.recorder.doubt(segment, ShelfBroken(OSError(5, "Input/output error")))
    assert [str(trouble) for trouble in desk.troubles] == ["Input/output error"]
    assert desk.coverage.spans() == [Span(START, from_us(safe_us))]
    (broken,) = desk.finished
    desk.finished[0] = kept = cut(broken)
    assert kept.end_us == safe_us
    assert kept.size == broken.cut_to == kept.part.stat().st_size
    assert not desk.recorder.is_recording


def test_a_file_that_never_reached_the_disk_is_not_sealed(desk: Desk) -> None:
    desk.windows((0, 60))
    desk.take(shots(0, 4))
    segment = desk.recorder.growing
    assert segment is not None
    desk.recorder.doubt(segment, ShelfBroken(OSError(5, "Input/output error")))
    assert desk.coverage.spans() == []
    with pytest.raises(ValueError, match="nothing of it"):
        cut(desk.finished.pop())
