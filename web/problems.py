"""Refusals and failures as problem details (RFC 9457), each with a stable `code`."""

from collections.abc import Mapping

import msgspec
from aiohttp.web import Response

PROBLEM_TYPE = "application/problem+json"

CODES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request is not of the form this address takes"),
    "bad_id": (400, "That cannot be an id"),
    "too_long": (400, "The span is longer than eight hours"),
    "bad_user": (400, "That cannot be a user's name"),
    "weak_password": (400, "The password is too weak"),
    "roles_exclude": (400, "One person may not hold these roles together"),
    "retention_too_short": (400, "Footage is kept thirty days at least"),
    "not_logged_in": (401, "Log in first"),
    "bad_credentials": (401, "The name or the password is wrong"),
    "forbidden": (403, "Your role does not allow this"),
    "csrf": (403, "The X-CSRF-Token header is missing or not this session's"),
    "wrong_origin": (403, "The request comes from a page of another site"),
    "outside_window": (403, "No exam of this room is under way"),
    "reason_required": (403, "Say why: the reason stands in the ledger"),
    "same_person": (403, "Another person must agree"),
    "bad_code": (403, "The enrolment code is unknown, used up or too old"),
    "box_refused": (403, "The box of this camera refused the look"),
    "refused": (403, "Refused"),
    "undertaking_required": (403, "Without a signed undertaking nothing leaves the house"),
    "outside_span": (403, "It lies outside what this play session may show"),
    "not_on_duty": (403, "Only whoever took the alert or was sent it may look back"),
    "no_such": (404, "There is no such thing"),
    "no_footage": (404, "Nothing is recorded of these cameras in this span"),
    "expired": (410, "The recording is past its term"),
    "link_used": (410, "The link was used already, or replaced by a newer one"),
    "playback_ended": (410, "The play session is over: begin another one"),
    "alert_closed": (409, "The alert is closed; its footage is no longer shown here"),
    "no_camera": (409, "The alert concerns no single camera"),
    "method_not_allowed": (405, "This address does not take that method"),
    "user_exists": (409, "There is such a user already"),
    "running_session": (409, "It would end or move an exam that is being recorded"),
    "does_not_fit": (409, "The recordings would not fit on a box's disk"),
    "conflict": (409, "It is not as the request supposes"),
    "outage_conflicts": (409, "Exams are held in the span of this outage"),
    "hold_limit": (409, "More would be held than one applicant, or the site, may hold"),
    "not_over": (409, "The span is not over, or its last recording is not sealed yet"),
    "footage_changed": (409, "What the box holds is not what it signed when it was recorded"),
    "unproved": (409, "No signature of a box stands for this recording"),
    "too_large": (413, "The upload is too large"),
    "wrong_type": (415, "The body is of a type this address does not take"),
    "unsatisfiable_range": (416, "The range lies outside the recording"),
    "unreadable_file": (422, "The file could not be read"),
    "too_many_looks": (429, "Too many live looks are open: close one first"),
    "too_many_playbacks": (429, "Too many play sessions are open: close one first"),
    "locked": (429, "Too many wrong passwords: this account waits"),
    "rate_limited": (429, "Too many requests: wait a little"),
    "internal": (500, "Something failed here; it is in the log of the server"),
    "box_unreachable": (502, "The box of this camera cannot be reached"),
    "not_ready": (503, "Not ready"),
    "no_space": (507, "There is not enough room on the disk"),
}
"""Every code an answer may carry, with its status and what it means."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a refusal says."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    edge: str = ""
    """With `does_not_fit`: the box whose disk is too small."""
    day: str = ""
    """With `does_not_fit`: the first day on which it is, in the site's zone."""
    shortfall_bytes: int = 0
    """With `does_not_fit`: by how much on that day."""


class Problem(Exception):
    """The request cannot be answered; `code` says why, one of `CODES`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retry_after_s: int = 0,
        more: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = dict(more or {})


def describe(code: str, detail: str = "") -> ProblemDetails:
    """Give the problem details of a code."""
    status, title = CODES[code]
    return ProblemDetails(
        type=f"urn:xunkao:problem:{code}", title=title, status=status, code=code, detail=detail
    )


def respond(problem: Problem) -> Response:
    """Give the answer that says the problem."""
    details = msgspec.structs.replace(describe(problem.code, problem.detail), **problem.more)
    headers = {"Retry-After": str(problem.retry_after_s)} if problem.retry_after_s else None
    return Response(
        body=msgspec.json.encode(details),
        status=details.status,
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def code_of_status(status: int) -> str:
    """Give the code that stands for an error of the HTTP library itself."""
    by_status = {404: "no_such", 405: "method_not_allowed", 413: "too_large", 415: "wrong_type"}
    return by_status.get(status, "internal" if status >= 500 else "bad_request")
