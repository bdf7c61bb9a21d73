from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from contract.keys import Signed, SigningKey
from contract.ticket import Ticket, TicketRefused, Track, check, issue, sha256_hex
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()
KEY = SigningKey.make()
TRUSTED = {KEY.kid: KEY.public}
OFFER = "v=0 the offer"


def ticket(**changes: Any) -> Ticket:
    plain = Ticket(
        edge="box1",
        user="chen",
        session="s1",
        tracks=(Track(camera="cam1"),),
        purpose="live",
        offer_sha256=sha256_hex(OFFER),
        jti="j1",
        start_by=NOW + timedelta(seconds=60),
        view_until=NOW + timedelta(seconds=120),
    )
    return msgspec.structs.replace(plain, **changes)


def checked(signed: str | bytes | Signed, *, now: datetime = NOW, **asked: str) -> Ticket:
    wanted = {"edge": "box1", "purpose": "live", "what": OFFER, **asked}
    return check(signed, TRUSTED, now=now, **wanted)


def code_of(signed: str, *, now: datetime = NOW, **asked: str) -> str:
    with pytest.raises(TicketRefused) as refused:
        checked(signed, now=now, **asked)
    return refused.value.code


def test_a_good_ticket_gives_leave_for_what_it_says() -> None:
    signed = issue(KEY, ticket())
    assert checked(signed).tracks == (Track(camera="cam1"),)
    assert checked(signed.encode()) == checked(msgspec.json.decode(signed, type=Signed))


def test_a_ticket_of_another_signer_is_forged() -> None:
    assert code_of(issue(SigningKey.make(), ticket())) == "forged"


@pytest.mark.parametrize("text", ["", "{}", "null", "[]", '{"kid":1}'])
def test_what_is_no_ticket_is_forged(text: str) -> None:
    assert code_of(text) == "forged"


def test_a_widened_ticket_is_forged() -> None:
    assert code_of(issue(KEY, ticket()).replace("cam1", "cam2")) == "forged"


def test_a_ticket_is_for_one_box_one_purpose_and_one_offer() -> None:
    signed = issue(KEY, ticket())
    assert code_of(signed, edge="box2") == "other_box"
    assert code_of(signed, purpose="playback") == "other_purpose"
    assert code_of(signed, what=OFFER + " ") == "other_offer"


def test_a_ticket_must_be_used_within_its_minute() -> None:
    signed = issue(KEY, ticket())
    assert checked(signed, now=NOW + timedelta(seconds=60))
    assert code_of(signed, now=NOW + timedelta(seconds=61)) == "late"


def test_a_ticket_whose_view_is_over_is_late() -> None:
    assert code_of(issue(KEY, ticket(view_until=NOW))) == "late"


def test_a_ticket_may_not_be_stored_up() -> None:
    assert code_of(issue(KEY, ticket(start_by=NOW + timedelta(hours=1)))) == "late"
