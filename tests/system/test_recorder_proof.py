"""A real recorder, killed and refused: what its certificate says of it, to the second."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract import topics
from contract.bus import Arrival
from contract.clock import SystemClock
from contract.keys import to_base64
from contract.messages import (
    ContactChanged,
    CoverageStated,
    Fact,
    Order,
    RecorderBegan,
    Source,
    sign_fact,
)
from edge.journal import Journal
from orchestrator.centre import Centre
from orchestrator.certificates.document import CameraPart
from orchestrator.certificates.verifying import check
from orchestrator.dispatch import Dispatcher
from orchestrator.planning import Session
from tests.fakes.box import FakeBox
from tests.fakes.cameras import running_cameras
from tests.fakes.centre import add_site, config_in, hold_exam, join
from tests.fakes.recorder import Box, running_recorder
from tests.fakes.waiting import until, until_async

Row = tuple[int, str, str, datetime, bytes]


async def _rows(box: Box) -> list[Row]:
    async with Journal.open(box.config.journal) as journal:
        return await journal.facts_after(0, 10_000)


async def _stated(box: Box) -> list[CoverageStated]:
    return [
        msgspec.json.decode(data, type=CoverageStated)
        for _, _, kind, _, data in await _rows(box)
        if kind == "coverage"
    ]


async def _has_stated(box: Box, cameras: int) -> bool:
    return len({one.camera for one in await _stated(box)}) == cameras


async def _tell(centre: Centre, fake: FakeBox, rows: list[Row]) -> None:
    """Send what the recorder wrote as its agent does, under the enrolled box's key."""
    arrivals = []
    for seq, name, kind, at, data in rows:
        fact = Fact(edge=fake.id, seq=seq, id=name, type=kind, at=at, data=msgspec.Raw(data))
        signed = msgspec.json.encode(sign_fact(fake.signing, fact))
        arrivals.append(Arrival(topics.fact(fake.id), signed, retained=False))
    await centre.catalogue.take(arrivals)


def _ordered(box: Box, session: Session, window: tuple[datetime, datetime]) -> None:
    for camera in box.cameras:
        name = f"{session.id}.{camera}"
        box.orders[name] = Order(
            id=name, camera=camera, session=session.id, start=window[0], end=window[1]
        )
    box.save()


@pytest.mark.timeout(200)
async def test_a_kill_and_a_refusing_camera_stand_in_the_certificate_with_their_causes(
    tmp_path: Path,
) -> None:
    box = Box.make(tmp_path, segment_seconds=4)
    config = config_in(tmp_path, lead_in_minutes=0, lead_out_minutes=0)

    async with (
        running_cameras(2) as farm,
        Centre.open(config, SystemClock()) as centre,
    ):
        box.has_farm(farm)
        nobody = "rtsp://127.0.0.1:9/none"
        box.has_camera("cam-09", Source(main=nobody, sub=nobody))
        await add_site(
            centre, *(("cam-01", "r1", "b1"), ("cam-02", "r1", "b1"), ("cam-09", "r1", "b1"))
        )
        fake = await join(centre, tmp_path, "b1")
        start = datetime.now(UTC) + timedelta(seconds=8)
        session = await hold_exam(centre, "r1", start, minutes=1)
        window = (start, session.end)
        await _command(centre.dispatch, fake)
        _ordered(box, session, window)
        async with running_recorder(box) as recorder:
            await until(lambda: datetime.now(UTC) > start + timedelta(seconds=20), 40)
            killed = datetime.now(UTC)
            recorder.send_signal(signal.SIGKILL)
            await recorder.wait()
        gone = killed + timedelta(seconds=6)  # the box is without a recorder for so long
        await until(lambda: datetime.now(UTC) > gone, 30)
        async with running_recorder(box):
            await until(lambda: datetime.now(UTC) > session.end, 90)
            await until_async(lambda: _has_stated(box, 3), 30)
        rows = await _rows(box)
        await until(lambda: datetime.now(UTC) > session.end + timedelta(seconds=13), 30)
        await _tell(centre, fake, rows)
        (kept,) = await centre.certificates.look()
        found = check(kept.document, {centre.keyring.attest.kid: centre.keyring.attest.public})
    content = found.certificate.content
    back = _began(rows)[1].began
    assert content.verdict == "INCOMPLETE"
    one, _, refused = content.cameras
    _is_cut_by_the_kill(one, killed, back)
    _is_refused_but_while_killed(refused, killed, back)
    assert all(part.streams[0].statements[0].differs == () for part in content.cameras)
    assert to_base64(fake.signing.public) == kept.document.statements[0].public
    assert content.silence.exceptions == ()
    _tells_its_contacts(rows)


async def _command(dispatch: Dispatcher, fake: FakeBox) -> None:
    dispatch.hear(fake.id, fake.status())
    assert await dispatch.bring_up_to_date() == [fake.id]


def _is_cut_by_the_kill(camera: CameraPart, killed: datetime, back: datetime) -> None:
    (gap,) = camera.streams[0].gaps
    second = timedelta(seconds=1)
    assert gap.cause == "box_down"
    assert killed - 1.5 * second <= gap.start <= killed + second
    assert back <= gap.end <= back + 8 * second  # the camera is asked, a key picture comes
    assert camera.streams[0].chain_broken == ()


def _is_refused_but_while_killed(camera: CameraPart, killed: datetime, back: datetime) -> None:
    """Not a second of it is recorded; a box that does not run blames itself, not the camera."""
    gaps = camera.streams[0].gaps
    assert sum(gap.us for gap in gaps) == 60_000_000
    assert [gap.cause for gap in gaps] == ["refused", "box_down", "refused"]
    second = timedelta(seconds=1)
    assert killed - 1.5 * second <= gaps[1].start <= killed + second
    assert back <= gaps[1].end <= back + 8 * second


def _began(rows: list[Row]) -> list[RecorderBegan]:
    told = [row[4] for row in rows if row[2] == "recorder"]
    return [msgspec.json.decode(data, type=RecorderBegan) for data in told]


def _tells_its_contacts(rows: list[Row]) -> None:
    """Both runs began, and each stream's contacts were opened twice and closed at the end."""
    _, second = _began(rows)
    assert second.last_alive is not None
    told = [msgspec.json.decode(row[4], type=ContactChanged) for row in rows if row[2] == "contact"]
    of_main = [one for one in told if (one.camera, one.stream) == ("cam-01", "main")]
    assert [one.state for one in of_main] == ["opened", "opened", "closed"]
    refused = [one for one in told if (one.camera, one.state) == ("cam-09", "closed")]
    assert all(one.sessions > 1 for one in refused)
