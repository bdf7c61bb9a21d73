"""From what boxes tell to a certificate, over HTTP: issued, renewed, printed, refused to others."""

import json
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from contract import topics
from contract.bus import Arrival
from contract.keys import kid_of
from contract.messages import (
    ContactChanged,
    GapFound,
)
from contract.spans import Span
from orchestrator.access import Role
from orchestrator.certificates import reading
from orchestrator.certificates.building import GIVE_UP_AFTER
from orchestrator.certificates.reading import read_evidence
from orchestrator.certificates.verifying import check, parse
from orchestrator.exams import Lead
from orchestrator.store.tables import certificates
from tests.fakes.box import segment
from tests.system.covered import Exam, recorded_exam
from tests.system.webhouse import BASE, House, code_of, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def exam(house: House, tmp_path: Path) -> AsyncGenerator[Exam]:
    async with recorded_exam(house, tmp_path) as exam:
        yield exam


async def _log_in(exam: Exam, role: Role = Role.exam_office) -> None:
    exam.house.forget()
    await exam.house.log_in(role)


async def test_a_whole_exam_is_verified_once_its_box_has_told(exam: Exam) -> None:
    await exam.tell(*exam.segments)
    assert await exam.issue() == []
    await exam.tell(exam.word())
    assert await exam.issue() == ["VERIFIED"]
    assert await exam.issue() == []
    await _log_in(exam)
    shown = await exam.get()
    assert (shown["state"], len(shown["editions"])) == ("VERIFIED", 1)
    listed = await (await exam.house.client.get(f"{BASE}/sessions?room=A101")).json()
    assert listed["items"][0]["state"] == "VERIFIED"


async def test_the_certificate_holds_the_ledgers_head_and_both_signatures(exam: Exam) -> None:
    await exam.tell(*exam.segments, exam.word())
    await exam.issue()
    await _log_in(exam)
    document = parse(msgspec.json.encode(await exam.get("/certificate")))
    public = exam.house.centre.keyring.attest.public
    found = check(document, {kid_of(public): public})
    (entry,) = [one for one in await exam.house.ledger() if one.act.action == "issue_certificate"]
    assert (found.certificate.ledger.id, found.certificate.ledger.hash) == (entry.id, entry.hash)
    (stated,) = found.certificate.content.cameras[0].streams[0].statements
    assert (stated.kid, stated.differs) == (kid_of(exam.box.signing.public), ())


async def test_duplicates_and_any_order_give_the_same_certificate(exam: Exam) -> None:
    told = [exam.box.fact(one) for one in (*exam.segments, exam.word())]
    await exam.hear(*reversed(told[:-1]))
    await exam.hear(told[-1], *told)
    assert await exam.issue() == ["VERIFIED"]
    await exam.hear(*told)
    assert await exam.issue() == []


async def test_a_word_that_overtakes_its_segments_waits_for_them(exam: Exam) -> None:
    told = [exam.box.fact(one) for one in (*exam.segments, exam.word())]
    await exam.hear(told[-1])
    assert await exam.issue() == []
    await exam.hear(*told[:-1])
    assert await exam.issue() == ["VERIFIED"]


async def test_a_file_found_later_makes_another_edition_and_the_older_stays(exam: Exam) -> None:
    lost = exam.segments.pop(10)
    exam.gaps = [
        GapFound(
            gap="g1",
            camera="cam-01",
            stream="main",
            start=lost.start,
            end=lost.end,
            cause="box_down",
        )
    ]
    await exam.tell(*exam.segments, *exam.gaps, exam.word())
    assert await exam.issue() == ["INCOMPLETE"]
    exam.segments.insert(10, msgspec.structs.replace(lost, adopted=True))
    exam.house.clock.step(timedelta(minutes=1))
    await exam.tell(exam.segments[10], exam.word())
    assert await exam.issue() == ["VERIFIED"]
    await _log_in(exam)
    shown = await exam.get()
    assert [one["verdict"] for one in shown["editions"]] == [
        "INCOMPLETE",
        "VERIFIED",
    ]
    older = parse(msgspec.json.encode(await exam.get("/certificate?edition=1")))
    (gap,) = check(older, {}).certificate.content.cameras[0].streams[0].gaps
    assert (gap.us, gap.cause) == (60_000_000, "box_down")


async def test_a_box_that_never_tells_leaves_it_ended_for_a_day(exam: Exam) -> None:
    await exam.tell(*exam.segments)
    exam.house.clock.step(GIVE_UP_AFTER - timedelta(minutes=1))
    assert await exam.issue() == []
    await _log_in(exam)
    assert (await exam.get())["state"] == "ENDED"
    exam.house.clock.step(timedelta(minutes=2))
    assert await exam.issue() == ["INCOMPLETE", "INCOMPLETE"]  # the other room's, too
    await _log_in(exam)
    content = (await exam.get())["certificate"]["content"]
    assert [one["code"] for one in content["reasons"]] == ["not_told"]
    exam.house.clock.step(timedelta(minutes=1))
    await exam.tell(exam.word())
    assert await exam.issue() == ["VERIFIED"]


async def test_another_boxes_word_on_this_camera_does_not_count(exam: Exam) -> None:
    other = msgspec.structs.replace(exam.word(), order="another")
    await exam.tell(*exam.segments, other)
    assert await exam.issue() == []


async def test_certificates_can_be_neither_changed_nor_removed(exam: Exam) -> None:
    await exam.tell(*exam.segments, exam.word())
    await exam.issue()
    store = exam.house.centre.store
    for statement in (update(certificates).values(verdict="VERIFIED"), delete(certificates)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with store.write() as connection:
                await connection.execute(statement)


# ---------------------------------------------------------------- who may, and on paper


async def test_coverage_is_for_the_exam_office_and_the_auditor(exam: Exam) -> None:
    await exam.tell(*exam.segments, exam.word())
    await exam.issue()
    session, now = exam.order.session, exam.house.clock.now().isoformat().replace("+", "%2B")
    paths = ("", f"/{session}", f"/{session}.pdf", f"/{session}/certificate")
    silence = f"/silence?from={exam.order.start.isoformat().replace('+', '%2B')}&to={now}"
    for role in Role:
        await _log_in(exam, role)
        may = role in (Role.exam_office, Role.auditor)
        for path in (*paths, silence):
            answer = await exam.house.client.get(f"{BASE}/coverage{path}")
            assert answer.status == (200 if may else 403), (role, path)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_paper_is_a_pdf_in_either_language(exam: Exam, lang: str) -> None:
    await exam.tell(*exam.segments, exam.word())
    await exam.issue()
    await _log_in(exam)
    path = f"{BASE}/coverage/{exam.order.session}.pdf?lang={lang}"
    answer = await exam.house.client.get(path)
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    assert (await answer.read()).startswith(b"%PDF-")


async def test_there_is_no_paper_before_there_is_a_certificate(exam: Exam) -> None:
    await _log_in(exam)
    for path in (".pdf", "/certificate"):
        answer = await exam.house.client.get(f"{BASE}/coverage/{exam.order.session}{path}")
        assert (answer.status, await code_of(answer)) == (404, "no_such")


async def test_the_list_shows_states_and_seconds_in_pages(exam: Exam) -> None:
    await exam.tell(*exam.segments, exam.word())
    await exam.issue()
    await _log_in(exam, Role.auditor)
    first = await (await exam.house.client.get(f"{BASE}/coverage?limit=1")).json()
    rest = await (
        await exam.house.client.get(f"{BASE}/coverage?limit=1&after={first['next']}")
    ).json()
    by_room = {row["room"]: row for row in (*first["items"], *rest["items"])}
    assert by_room["A101"]["state"] == "VERIFIED"
    assert by_room["A101"]["recorded_seconds"] == by_room["A101"]["planned_seconds"]
    assert (by_room["A102"]["state"], by_room["A102"]["edition"]) == ("ENDED", None)
    assert by_room["A101"]["building"] == "教一"


# ---------------------------------------------------------------- silence


async def _silence(exam: Exam) -> Any:
    await _log_in(exam)
    await exam.house.centre.catalogue.take(
        [Arrival(topics.status(exam.box.id), msgspec.json.encode(exam.box.status()), retained=True)]
    )
    start = exam.order.start - timedelta(hours=20)
    query = {"from": start.isoformat(), "to": exam.house.clock.now().isoformat()}
    answer = await exam.house.client.get(f"{BASE}/coverage/silence", params=query)
    assert answer.status == 200, await answer.text()
    return json.loads(await answer.read())


async def test_silence_is_proved_where_nothing_lies_outside_windows(exam: Exam) -> None:
    await exam.tell(*exam.segments)
    found = await _silence(exam)
    assert found["silent"], found
    assert found["segments"] == len(exam.segments)


async def test_a_recording_and_a_contact_outside_windows_are_named(exam: Exam) -> None:
    early = exam.order.start - timedelta(hours=1)
    asked = ContactChanged(camera="cam-02", stream="sub", state="opened", since=early)
    await exam.tell(segment("cam-01", early), asked)
    found = await _silence(exam)
    assert not found["silent"]
    named = {(one["kind"], one["camera"]) for one in found["exceptions"]}
    assert named == {("recording", "cam-01"), ("contact", "cam-02")}


async def test_what_lies_within_windows_is_counted_and_not_kept(exam: Exam) -> None:
    await exam.tell(*exam.segments)
    centre = exam.house.centre
    span = Span(exam.order.start - timedelta(hours=1), exam.house.clock.now())
    async with centre.store.read() as connection:
        found = await read_evidence(connection, Lead.of(30, 15), span)
    assert (found.segments, found.settled) == ([], len(exam.segments))


async def test_more_outside_windows_than_one_answer_names_is_said(
    exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OUTSIDE", 1)
    early = exam.order.start - timedelta(hours=1)
    await exam.tell(*(segment("cam-01", early + timedelta(minutes=n)) for n in range(2)))
    await _log_in(exam)
    query = {"from": early.isoformat(), "to": exam.house.clock.now().isoformat()}
    answer = await exam.house.client.get(f"{BASE}/coverage/silence", params=query)
    assert (answer.status, await code_of(answer)) == (400, "bad_request")


async def test_today_is_judged_up_to_a_minute_ago(exam: Exam) -> None:
    found = await _silence(exam)
    judged = exam.house.clock.now() - datetime.fromisoformat(found["end"])
    assert judged == timedelta(seconds=60)


async def test_silence_of_a_span_that_is_no_span_is_not_asked(exam: Exam) -> None:
    await _log_in(exam)
    now = exam.house.clock.now()
    for start, end in ((now, now), (now - timedelta(days=40), now)):
        query = {"from": start.isoformat(), "to": end.isoformat()}
        answer = await exam.house.client.get(f"{BASE}/coverage/silence", params=query)
        assert (answer.status, await code_of(answer)) == (400, "bad_request")
