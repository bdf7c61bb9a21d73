"""Refusals as problem details."""

import msgspec
import pytest

from web.problems import CODES, PROBLEM_TYPE, Problem, code_of_status, describe, respond


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_told_with_its_status_and_meaning(code: str) -> None:
    answer = respond(Problem(code, "because"))
    told = msgspec.json.decode(answer.body)  # type: ignore[arg-type]  # bytes, never a payload
    assert answer.content_type == PROBLEM_TYPE
    assert answer.status == told["status"] == CODES[code][0]
    assert told["code"] == code
    assert told["type"] == f"urn:xunkao:problem:{code}"
    assert told["title"]
    assert told["detail"] == "because"


def test_a_refusal_says_when_to_come_back() -> None:
    answer = respond(Problem("rate_limited", retry_after_s=7))
    assert answer.headers["Retry-After"] == "7"


def test_no_detail_is_no_field() -> None:
    assert b"detail" not in msgspec.json.encode(describe("forbidden"))


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "no_such"), (405, "method_not_allowed"), (413, "too_large"), (400, "bad_request")],
)
def test_the_librarys_own_errors_get_our_codes(status: int, code: str) -> None:
    assert code_of_status(status) == code
