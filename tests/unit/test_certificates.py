"""What a certificate says, and that no byte of it can be changed."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.coverage import Hole
from contract.keys import SigningKey, kid_of
from contract.spans import Span
from orchestrator.certificates.building import NOT_COMMANDED, build, is_ready
from orchestrator.certificates.document import (
    Content,
    Reason,
    SignedCertificate,
    StreamPart,
    content_sha256,
)
from orchestrator.certificates.verifying import NotGenuine, Unreadable, check, parse
from tests.fakes.certified import (
    CENTRE_KEY,
    END,
    START,
    at,
    chain,
    closed,
    facts,
    gap,
    issued,
    known,
    row,
    word,
)

FULL = (-0.5, 3000), (3000, 6000), (6000, 9901)
LENGTH_US = 9_900_000_000
TRUSTED = {CENTRE_KEY.kid: CENTRE_KEY.public}


def part(content: Content, camera: int = 0) -> StreamPart:
    return content.cameras[camera].streams[0]


def test_every_second_on_disk_and_told_is_verified() -> None:
    content = build(facts(known("cam-01", chain("cam-01", *FULL))))
    assert (content.verdict, content.reasons) == ("VERIFIED", ())
    assert (content.planned_us, content.recorded_us) == (LENGTH_US, LENGTH_US)
    assert part(content).chain_head == "02" * 32
    assert part(content).copies[0].segments == 3


def test_a_gap_of_a_main_stream_makes_it_incomplete_with_its_cause() -> None:
    segments = chain("cam-01", (0, 3000), (3060, 9900))
    content = build(facts(known("cam-01", segments, [gap("cam-01", 3000, 3060, "refused")])))
    assert content.reasons == (Reason(code="gap", camera="cam-01", stream="main"),)
    assert [(one.us, one.cause) for one in part(content).gaps] == [(60_000_000, "refused")]


def test_a_planned_outage_explains_what_is_missing_and_makes_nothing_complete() -> None:
    segments = chain("cam-01", (-0.5, 3000), (3060, 6000), (6000, 9901))
    planned = Hole(Span(at(3020), at(5000)), "outage", "o1: 更换交换机")
    content = build(
        facts(known("cam-01", segments, [gap("cam-01", 3000, 3060, "refused")], outages=[planned]))
    )
    (part,) = content.cameras[0].streams
    assert [(one.cause, one.us // 1_000_000) for one in part.gaps] == [
        ("refused", 20),
        ("outage", 40),
    ]
    assert part.statements[0].differs == (), "the box spoke of what it saw"
    assert content.verdict == "INCOMPLETE"


def test_a_second_between_two_files_is_no_gap() -> None:
    content = build(facts(known("cam-01", chain("cam-01", (0, 3000), (3001, 9900)))))
    assert content.verdict == "VERIFIED"
    assert (content.recorded_us, content.seams_us) == (LENGTH_US - 1_000_000, 1_000_000)


def test_nobody_has_told_yet_waits_a_day_and_is_then_incomplete() -> None:
    silent = facts(known("cam-01", [], words=[]))
    assert not is_ready(silent, END + timedelta(hours=23, minutes=59))
    assert is_ready(silent, END + timedelta(hours=24))
    codes = {reason.code for reason in build(silent).reasons}
    assert codes == {"gap", "not_told"}
    assert part(build(silent)).gaps[0].cause == "not_told"


def test_a_word_counts_once_all_that_was_told_before_it_is_stored() -> None:
    segments = chain("cam-01", *FULL)
    early = replace(word("cam-01", segments), is_complete=False)
    assert not is_ready(facts(known("cam-01", segments, words=[early])), END)
    assert is_ready(facts(known("cam-01", segments)), END)


def test_files_of_a_second_box_need_its_word_too() -> None:
    segments = chain("cam-01", *FULL)
    camera = known("cam-01", segments)
    other = replace(camera, segments=[*camera.segments, row(closed("cam-01", 1, 2, "f"), "box-2")])
    assert not is_ready(facts(other), END)


def test_what_was_never_commanded_is_not_the_boxs_omission() -> None:
    late = known(
        "cam-01",
        chain("cam-01", (600, 9900)),
        [gap("cam-01", 0, 600, "started_late")],
        commanded_at=START + timedelta(seconds=590),
    )
    found = part(build(facts(late))).gaps
    assert [(one.us, one.cause) for one in found] == [
        (590_000_000, NOT_COMMANDED),
        (10_000_000, "started_late"),
    ]
    never = known("cam-01", [], words=[], commanded_at=None)
    assert part(build(facts(never))).gaps[0].cause == NOT_COMMANDED


def test_a_box_that_says_otherwise_than_the_catalogue_is_shown() -> None:
    segments = chain("cam-01", *FULL)
    content = build(facts(known("cam-01", segments[:2], words=[word("cam-01", segments)])))
    assert part(content).statements[0].differs == ("segments", "chain", "seconds", "gaps")
    assert Reason(code="differs", camera="cam-01", stream="main") in content.reasons


def test_a_broken_chain_and_an_untrusted_clock_are_reasons() -> None:
    odd = [
        closed("cam-01", 0, 5000, "aa" * 32, "ee" * 32),
        closed("cam-01", 5000, 9900, "bb" * 32, "aa" * 32, clock="untrusted"),
    ]
    content = build(facts(known("cam-01", odd)))
    assert {reason.code for reason in content.reasons} == {"chain_broken", "clock_untrusted"}
    assert part(content).chain_broken == (odd[0].segment,)
    whole = build(facts(known("cam-01", odd, known_roots=frozenset({"ee" * 32}))))
    assert {reason.code for reason in whole.reasons} == {"clock_untrusted"}


def test_a_room_without_a_camera_proves_nothing() -> None:
    assert build(facts()).reasons == (Reason(code="no_camera"),)


_edges = st.integers(-20_000_000, LENGTH_US + 20_000_000)
_pieces = st.lists(
    st.tuples(_edges, st.integers(1, 4_000_000_000)),
    max_size=8,
    unique_by=lambda piece: piece[0] // 1_000_000,
)


@given(_pieces, _pieces, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_whatever_order_things_come_in_and_however_often_it_says_the_same(
    recorded: list[tuple[int, int]], missing: list[tuple[int, int]], random: Random
) -> None:
    segments = [
        closed("cam-01", start / 1e6, (start + length) / 1e6, f"{number:064x}")
        for number, (start, length) in enumerate(recorded)
    ]
    gaps = [gap("cam-01", start / 1e6, (start + length) / 1e6) for start, length in missing]
    words = [word("cam-01", segments[:n], gaps, seq=n + 1) for n in range(len(segments) + 1)]
    content = build(facts(known("cam-01", segments, gaps, words)))
    many: Any = [segments * 2, gaps * 2, words * 2]
    for shuffled in many:
        random.shuffle(shuffled)
    assert content_sha256(build(facts(known("cam-01", *many)))) == content_sha256(content)
    sums = part(content)
    assert sums.recorded_us + sums.seams_us + sum(one.us for one in sums.gaps) == LENGTH_US


def test_the_last_word_of_a_box_holds() -> None:
    segments = chain("cam-01", *FULL)
    early = word("cam-01", segments[:2], seq=1)
    late = word("cam-01", segments, seq=2)
    for words in ([early, late], [late, early]):
        content = build(facts(known("cam-01", segments, words=words)))
        assert content.verdict == "VERIFIED"
        assert part(content).statements[0].fact == late.fact


# ---------------------------------------------------------------- signatures


@pytest.fixture(scope="module")
def document() -> SignedCertificate:
    segments = chain("cam-02", (0, 3000), (3060, 9900))
    gaps = [gap("cam-02", 3000, 3060)]
    return issued(facts(known("cam-01", chain("cam-01", *FULL)), known("cam-02", segments, gaps)))


def test_a_genuine_certificate_is_found_genuine(document: SignedCertificate) -> None:
    found = check(parse(msgspec.json.encode(document)), TRUSTED)
    assert found.is_trusted
    assert found.certificate.content.session.id == "s1"
    assert not check(document, {}).is_trusted


def test_another_centres_certificate_is_not_ours(document: SignedCertificate) -> None:
    other = SigningKey.make()
    with pytest.raises(NotGenuine, match="not the centre's"):
        check(document, {other.kid: other.public})


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_breaks_it(document: SignedCertificate, data: st.DataObject) -> None:
    raw = bytearray(msgspec.json.encode(document))
    where = data.draw(st.integers(0, len(raw) - 1))
    raw[where] ^= data.draw(st.integers(1, 127))
    try:
        changed = parse(bytes(raw))
    except Unreadable:
        return
    if changed == document:  # white space, or a character written in another way
        return
    with pytest.raises(NotGenuine):
        check(changed, TRUSTED)


def test_a_box_word_that_is_missing_doubled_or_anothers_is_found(
    document: SignedCertificate,
) -> None:
    one, two = document.statements
    forged = word("cam-01", chain("cam-01", *FULL), key=SigningKey.make())
    stranger = msgspec.structs.replace(one, fact=forged.body)
    for statements in ((one,), (one, one), (one, two, two), (stranger, two)):
        with pytest.raises(NotGenuine):
            check(msgspec.structs.replace(document, statements=statements), TRUSTED)


def test_a_centre_that_signs_a_box_word_with_a_wrong_signature_is_found() -> None:
    segments = chain("cam-01", *FULL)
    honest = word("cam-01", segments)
    fact = msgspec.json.decode(honest.body)
    fact["data"]["recorded_us"] -= 60_000_000
    lie = replace(honest, body=msgspec.json.encode(fact).decode())
    made = issued(facts(known("cam-01", segments, words=[lie])))
    with pytest.raises(NotGenuine, match="the box's signature"):
        check(made, {kid_of(CENTRE_KEY.public): CENTRE_KEY.public})


def test_what_is_no_certificate_is_unreadable() -> None:
    for raw in (
        b"",
        b"{}",
        b"\xff",
        b'{"proof":null}',
        b'{"session":"s1","cameras":[]}',
        b'{"public":"\xe6"}',
    ):
        with pytest.raises(Unreadable):
            parse(raw)
