"""What leaves of a segment, and what a player shows of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.cutting import NothingInside, cut
from contract.fragments import parts
from orchestrator.evidence.footage import Footage, FootageChanged
from orchestrator.evidence.package import writing
from tests.fakes.footage import record, taken
from tests.fakes.packages import START
from tests.guard.sealed_guard import by_hand

RATE = 90_000


def cut_out(path: Path, root: str, folder: Path, begin: int, end: int, piece: int = 0) -> Footage:
    """Make the footage file `out.mp4`."""
    with (
        writing(folder / "p.zip") as package,
        package.file("out.mp4") as file,
        path.open("rb") as recorded,
    ):
        footage = Footage(file, root, begin, end)
        for part in parts(recorded, begin, end):
            for at in range(0, len(part), piece or len(part)):
                footage.take(part[at : at + (piece or len(part))])
        footage.finish()
        size = file.size
    head = 30 + len("out.mp4") + 20
    (folder / "out.mp4").write_bytes((folder / "p.zip").read_bytes()[head : head + size])
    return footage


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("since", "until"), [(0, 60), (23, 41), (20, 30), (29, 31), (55, 90)])
def test_a_player_shows_every_picture_of_the_span_and_no_other(
    tmp_path: Path, codec: str, b_frames: int, since: int, until: int
) -> None:
    told = record(tmp_path, "cam-1", START, 6, codec=codec, b_frames=b_frames)
    cut_out(tmp_path / told.path, told.root, tmp_path, since * RATE // 10, until * RATE // 10)
    expected = [START + timedelta(seconds=n / 10) for n in range(since, min(until, 60))]
    assert taken(tmp_path / "out.mp4") == expected


def test_only_what_decoding_needs_leaves_besides(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-1", START, 20)
    with (tmp_path / told.path).open("rb") as file:
        found = cut(file, 117 * RATE // 10, 124 * RATE // 10)
    assert found.fragments[0].begin >= 105 * RATE // 10
    assert found.fragments[-1].end <= 129 * RATE // 10
    whole = (tmp_path / told.path).read_bytes()
    footage = cut_out(tmp_path / told.path, told.root, tmp_path, 117 * RATE // 10, 124 * RATE // 10)
    made = (tmp_path / "out.mp4").read_bytes()
    assert footage.lead_in == (7, 0.7)
    assert whole[: found.init] in made
    for piece in found.fragments:
        assert whole[piece.at : piece.at + piece.size] in made
    assert len(made) < len(whole) / 4


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_the_bytes_may_come_in_any_pieces(tmp_path: Path, piece: int) -> None:
    told = record(tmp_path, "cam-1", START, 2)
    cut_out(tmp_path / told.path, told.root, tmp_path, RATE // 2, RATE, piece)
    assert len(taken(tmp_path / "out.mp4")) == 5


def test_a_span_between_two_pictures_holds_nothing(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-1", START, 2)
    for begin, end in ((RATE // 100, RATE // 50), (5 * RATE, 6 * RATE), (-9, 0)):
        with (tmp_path / told.path).open("rb") as file, pytest.raises(NothingInside):
            cut(file, begin, end)


def test_a_segment_that_was_changed_on_the_box_does_not_become_evidence(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-1", START, 3)
    path = tmp_path / told.path
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    with by_hand():
        path.chmod(0o640)
        path.write_bytes(data)
    with pytest.raises(FootageChanged, match="root"):
        cut_out(path, told.root, tmp_path, 0, RATE)
    assert not list(tmp_path.glob("*.zip*")) + list(tmp_path.glob(".*"))


@pytest.mark.parametrize("answer", [b"\0\0\0\2{}", b"\xff" * 8, b"\0\0\0\x02[]x"])
def test_what_is_no_answer_of_a_box_is_refused(tmp_path: Path, answer: bytes) -> None:
    with writing(tmp_path / "p.zip") as package, package.file("out.mp4") as file:
        footage = Footage(file, "00" * 32, 0, RATE)
        with pytest.raises(FootageChanged):
            footage.take(answer)


def test_a_box_that_breaks_off_is_noticed(tmp_path: Path) -> None:
    told = record(tmp_path, "cam-1", START, 2)
    with (tmp_path / told.path).open("rb") as file:
        sent = b"".join(parts(file, 0, RATE))
    with writing(tmp_path / "p.zip") as package, package.file("out.mp4") as file:
        for end in (3, 400, len(sent) - 1):
            footage = Footage(file, told.root, 0, RATE)
            footage.take(sent[:end])
            with pytest.raises(FootageChanged, match="broke off"):
                footage.finish()
