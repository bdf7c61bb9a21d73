import base64

import msgspec
import pytest

from contract.enrolment import (
    BadCode,
    Code,
    Enrol,
    Enrolled,
    ask,
    check_centre,
    check_request,
)
from contract.keys import BadSignature, SealKey, SigningKey, fingerprint
from contract.messages import Id
from tests.fakes.clock import ManualClock

CENTRE = SigningKey.make()
CODE = Code("box1", "ab" * 16, fingerprint(CENTRE.public)[:32])


def request_of(key: SigningKey, edge: Id = "box1") -> Enrol:
    return Enrol(
        edge=edge,
        sign_public=base64.b64encode(key.public).decode(),
        seal_public=base64.b64encode(SealKey.make().public).decode(),
        certificate="PEM",
        url="https://192.0.2.1:8443",
    )


def answer_of(centre: SigningKey) -> Enrolled:
    return Enrolled(
        edge="box1",
        identity_public=base64.b64encode(centre.public).decode(),
        site_public="",
        ticket_public="",
        hold_public="",
        certificate="",
        broker="",
        at=ManualClock().now(),
    )


def test_a_code_is_read_as_it_was_written() -> None:
    assert Code.parse(f"  {CODE}\n") == CODE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "XK1:box1",
        "XK2:box1:" + "ab" * 16 + ":" + "cd" * 16,
        "XK1:box1:short:" + "cd" * 16,
        "XK1:box1:" + "zz" * 16 + ":" + "cd" * 16,
        "XK1:box/1:" + "ab" * 16 + ":" + "cd" * 16,
    ],
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadCode):
        Code.parse(text)


def test_a_request_made_with_the_code_is_good() -> None:
    key = SigningKey.make()
    check_request(ask(CODE, key, request_of(key)), CODE.secret)


def test_a_request_with_another_secret_is_refused() -> None:
    key = SigningKey.make()
    with pytest.raises(BadSignature, match="secret"):
        check_request(ask(CODE, key, request_of(key)), "00" * 16)


@pytest.mark.parametrize("field", ["edge", "url", "certificate", "seal_public", "sign_public"])
def test_a_request_changed_on_the_way_is_refused(field: str) -> None:
    key = SigningKey.make()
    changed = msgspec.structs.replace(ask(CODE, key, request_of(key)), **{field: "changed"})
    with pytest.raises(BadSignature):
        check_request(changed, CODE.secret)


def test_a_box_that_does_not_own_the_key_is_refused() -> None:
    key, other = SigningKey.make(), SigningKey.make()
    with pytest.raises(BadSignature):
        check_request(ask(CODE, other, request_of(key)), CODE.secret)


@pytest.mark.parametrize("broken", [{"sig": "%%%"}, {"sig": "QQ"}, {"mac": "é"}])
def test_nonsense_in_mac_or_signature_is_refused(broken: dict[str, str]) -> None:
    key = SigningKey.make()
    request = msgspec.structs.replace(ask(CODE, key, request_of(key)), **broken)
    with pytest.raises(BadSignature):
        check_request(request, CODE.secret)


def test_a_key_that_is_no_base64_is_refused() -> None:
    key = SigningKey.make()
    odd = msgspec.structs.replace(request_of(key), sign_public="A")
    with pytest.raises(BadSignature):
        check_request(ask(CODE, key, odd), CODE.secret)


def test_the_centre_is_believed_by_its_fingerprint_alone() -> None:
    assert check_centre(answer_of(CENTRE), CODE) == CENTRE.public
    with pytest.raises(BadSignature):
        check_centre(answer_of(SigningKey.make()), CODE)
