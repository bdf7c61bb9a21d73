import base64
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.clock import SystemClock
from contract.enrolment import Code, Enrol, ask
from contract.keys import BadSignature
from contract.messages import Booted
from orchestrator.boxes import BoxUnreachable
from orchestrator.centre import Centre
from orchestrator.enrolment import MOST_FAILURES, Enrolment, EnrolRefused, LeftToTheCentre
from tests.fakes.box import FakeBox
from tests.fakes.centre import acts, join, running_centre
from tests.fakes.waiting import until


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncGenerator[Centre]:
    async with running_centre(tmp_path) as running:
        yield running


def a_box(folder: Path, id: str = "b1") -> FakeBox:
    (folder / id).mkdir(exist_ok=True)
    return FakeBox(id, folder / id)


async def refusal_of(centre: Centre, request: Enrol) -> str:
    with pytest.raises(EnrolRefused) as refused:
        await centre.enrol(request)
    return refused.value.code


async def test_an_invited_box_joins_and_speaks(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await box.tell(box.fact(Booted(boot="b", version="1", clock_trusted=True)))
        await until(lambda: box.heard == [1])
    assert [row.act.result for row in await acts(centre, "enrol_edge")] == ["ok"]
    assert [edge.is_trusted for edge in await centre.enrolment.edges()] == [True]


async def test_a_code_works_once(centre: Centre, tmp_path: Path) -> None:
    box = a_box(tmp_path)
    code = (await centre.enrolment.invite("b1", "admin")).code
    await centre.enrol(box.request(code))
    assert await refusal_of(centre, box.request(code)) == "bad_code"


async def test_a_newer_code_ends_the_older(centre: Centre, tmp_path: Path) -> None:
    box = a_box(tmp_path)
    older = (await centre.enrolment.invite("b1", "admin")).code
    newer = (await centre.enrolment.invite("b1", "admin")).code
    assert await refusal_of(centre, box.request(older)) == "bad_code"
    box.pin(await centre.enrol(box.request(newer)), newer)


async def test_a_code_ends_after_a_quarter_of_an_hour(centre: Centre, tmp_path: Path) -> None:
    class Earlier(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(minutes=15, seconds=1)

    service = centre.enrolment
    earlier = Enrolment(
        centre.store, centre.keyring, centre.events, Earlier(), LeftToTheCentre(), service._door
    )
    code = (await earlier.invite("b1", "admin")).code
    assert await refusal_of(centre, a_box(tmp_path).request(code)) == "bad_code"


async def test_five_wrong_secrets_end_a_code(centre: Centre, tmp_path: Path) -> None:
    box = a_box(tmp_path)
    code = (await centre.enrolment.invite("b1", "admin")).code
    wrong = Code("b1", "00" * 16, code.centre)
    for _ in range(MOST_FAILURES):
        assert await refusal_of(centre, box.request(wrong)) == "bad_code"
    assert await refusal_of(centre, box.request(code)) == "bad_code"
    refused = [row for row in await acts(centre, "enrol_edge") if row.act.result == "bad_code"]
    assert len(refused) == MOST_FAILURES + 1


async def test_fewer_wrong_secrets_leave_a_code_good(centre: Centre, tmp_path: Path) -> None:
    box = a_box(tmp_path)
    code = (await centre.enrolment.invite("b1", "admin")).code
    for _ in range(MOST_FAILURES - 1):
        await refusal_of(centre, box.request(Code("b1", "00" * 16, code.centre)))
    box.pin(await centre.enrol(box.request(code)), code)


async def test_a_code_is_for_one_box(centre: Centre, tmp_path: Path) -> None:
    code = (await centre.enrolment.invite("b1", "admin")).code
    await centre.enrolment.invite("b2", "admin")
    other = a_box(tmp_path, "b2")
    assert await refusal_of(centre, other.request(code)) == "bad_code"


async def test_an_uninvited_box_is_refused(centre: Centre, tmp_path: Path) -> None:
    assert (
        await refusal_of(centre, a_box(tmp_path).request(Code("b1", "00" * 16, ""))) == "bad_code"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://127.0.0.1:1"},
        {"url": "https://127.0.0.1"},
        {"url": "https://127.0.0.1:1/path"},
        {"url": "https://127.0.0.1:999999"},
        {"certificate": "not a certificate"},
        {"seal_public": base64.b64encode(b"short").decode()},
        {"seal_public": "%%%"},
    ],
)
async def test_an_unusable_request_is_refused_and_spends_nothing(
    centre: Centre, tmp_path: Path, change: dict[str, str]
) -> None:
    box = a_box(tmp_path)
    code = (await centre.enrolment.invite("b1", "admin")).code
    odd = ask(code, box.signing, msgspec.structs.replace(box.request(code), **change))
    assert await refusal_of(centre, odd) == "bad_request"
    box.pin(await centre.enrol(box.request(code)), code)


async def test_anothers_certificate_is_refused(centre: Centre, tmp_path: Path) -> None:
    box, other = a_box(tmp_path), a_box(tmp_path, "b2")
    code = (await centre.enrolment.invite("b1", "admin")).code
    request = msgspec.structs.replace(box.request(code), certificate=other.certificate)
    assert await refusal_of(centre, ask(code, box.signing, request)) == "bad_request"


@pytest.mark.parametrize("edge", ["", "a b", "a/b", "盒子", "b1\n"])
async def test_what_is_no_id_cannot_be_invited(centre: Centre, edge: str) -> None:
    with pytest.raises(EnrolRefused) as refused:
        await centre.enrolment.invite(edge, "admin")
    assert refused.value.code == "bad_id"


async def test_a_box_believes_only_the_centre_that_made_the_code(
    centre: Centre, tmp_path: Path
) -> None:
    box = a_box(tmp_path)
    code = (await centre.enrolment.invite("b1", "admin")).code
    answer = await centre.enrol(box.request(code))
    with pytest.raises(BadSignature):
        box.pin(answer, Code("b1", code.secret, "00" * 16))


async def test_a_box_may_join_anew_with_other_keys(centre: Centre, tmp_path: Path) -> None:
    await join(centre, tmp_path / "one", "b1")
    box = await join(centre, tmp_path / "two", "b1")
    async with box.online():
        await box.tell(box.fact(Booted(boot="b", version="1", clock_trusted=True)))
        await until(lambda: box.heard == [1])


async def test_a_revoked_box_is_refused_everywhere(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        await centre.revoke("b1", "admin", "stolen")
        await until(lambda: box.bus and not box.bus.is_up)
    with pytest.raises(BoxUnreachable, match="not enrolled"):
        async with centre.boxes.ask("b1", "GET", "/live"):
            pass
    assert not (await centre.enrolment.edges())[0].is_trusted
    assert [row.act.reason for row in await acts(centre, "revoke_edge")] == ["stolen"]


async def test_a_revocation_written_by_another_process_is_followed(
    centre: Centre, tmp_path: Path
) -> None:
    box = await join(centre, tmp_path, "b1")
    async with box.online():
        service = Enrolment(
            centre.store,
            centre.keyring,
            centre.events,
            centre.clock,
            LeftToTheCentre(),
            centre.enrolment._door,
        )
        await service.revoke("b1", "shell:root", "stolen")
        await until(lambda: box.bus and not box.bus.is_up)


async def test_what_does_not_exist_cannot_be_revoked(centre: Centre) -> None:
    with pytest.raises(EnrolRefused) as refused:
        await centre.revoke("nobody", "admin", "why not")
    assert refused.value.code == "no_such"


async def test_a_box_need_not_join_again_after_a_restart(tmp_path: Path) -> None:
    async with running_centre(tmp_path) as centre:
        box = await join(centre, tmp_path, "b1")
    async with running_centre(tmp_path) as centre:
        box.broker_port = centre.broker.port
        async with box.online():
            assert box.bus is not None
            assert box.bus.is_up


async def test_no_secret_of_a_box_stands_in_the_database(centre: Centre, tmp_path: Path) -> None:
    box = await join(centre, tmp_path, "b1")
    files = [file for file in (tmp_path / "centre").glob("centre.sqlite*") if file.is_file()]
    assert files
    assert not any(box.login.password.encode() in file.read_bytes() for file in files)
