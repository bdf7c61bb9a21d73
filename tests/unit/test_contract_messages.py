from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contract.keys import BadSignature, SigningKey
from contract.messages import (
    FACT_TYPES,
    Booted,
    EdgeStatus,
    Fact,
    Heard,
    Message,
    data_of,
    sign_fact,
    type_of,
    verify_fact,
)
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()
KEY = SigningKey.make()


def booted(seq: int = 1) -> Fact:
    data = Booted(boot="b1", version="0.1", clock_trusted=True)
    return Fact(
        edge="box1",
        seq=seq,
        id=f"f{seq}",
        type=type_of(data),
        at=NOW,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def test_a_signed_fact_survives_the_wire() -> None:
    wire = msgspec.json.encode(sign_fact(KEY, booted()))
    fact = msgspec.json.decode(wire, type=Fact)
    verify_fact(KEY.public, fact)
    assert data_of(fact) == Booted(boot="b1", version="0.1", clock_trusted=True)


@pytest.mark.parametrize(
    "change",
    [
        {"edge": "box2"},
        {"seq": 2},
        {"id": "other"},
        {"type": "gap"},
        {"at": NOW + timedelta(seconds=1)},
        {"data": msgspec.Raw(b'{"boot":"b2"}')},
        {"sig": ""},
        {"sig": "%%%"},
    ],
)
def test_a_fact_changed_in_any_part_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        verify_fact(KEY.public, msgspec.structs.replace(sign_fact(KEY, booted()), **change))


def test_another_boxs_fact_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify_fact(SigningKey.make().public, sign_fact(KEY, booted()))


def test_a_fact_written_with_other_white_space_is_the_same_fact() -> None:
    fact = sign_fact(KEY, booted())
    spaced = msgspec.structs.replace(fact, data=msgspec.Raw(bytes(fact.data).replace(b",", b" , ")))
    verify_fact(KEY.public, spaced)


def test_a_fact_of_a_later_version_is_carried_without_being_understood() -> None:
    assert data_of(msgspec.structs.replace(booted(), type="weather")) is None


def test_a_facts_data_must_be_what_its_type_says() -> None:
    with pytest.raises(msgspec.ValidationError):
        data_of(msgspec.structs.replace(booted(), type="segment"))


def test_every_fact_has_one_name() -> None:
    assert len(set(FACT_TYPES.values())) == len(FACT_TYPES)
    with pytest.raises(KeyError):
        type_of(Heard(up_to=1))


def test_an_instant_without_a_zone_is_refused() -> None:
    raw = b'{"state":"online","at":"2026-11-22T08:00:00","boot":"b","epoch":1,"revision":1}'
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=EdgeStatus)
    assert msgspec.json.decode(raw.replace(b'00:00"', b'00:00Z"'), type=EdgeStatus).epoch == 1


@pytest.mark.parametrize("edge", ["", "a/b", "a+", "#", "box\n", ".hidden", "教室", "x" * 65])
def test_what_may_not_stand_in_a_topic_is_no_id(edge: str) -> None:
    raw = msgspec.json.encode(msgspec.structs.replace(booted(), edge=edge))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=Fact)


def test_a_field_of_a_later_version_is_passed_over() -> None:
    assert msgspec.json.decode(b'{"up_to":3,"since":"x"}', type=Heard) == Heard(up_to=3)
    assert issubclass(Heard, Message)
