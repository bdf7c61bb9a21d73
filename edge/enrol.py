"""Joining a centre with a one-time code."""

import base64

import aiohttp
import msgspec

from contract.enrolment import BadCode, Code, Enrol, Enrolled, ask, check_centre
from contract.keys import BadSignature, Signed, kid_of, open_signed, write_private
from edge.config import EdgeConfig
from edge.identity import box_keys


class EnrolRefused(Exception):
    """The box could not join; the message says why and what to do."""


async def enrol(config: EdgeConfig, centre_url: str, code_text: str) -> Enrolled:
    """Make the box's keys, ask the centre in, check that it is the right one, pin it.

    Raises EnrolRefused; nothing is pinned then.
    """
    try:
        code = Code.parse(code_text)
    except BadCode as error:
        raise EnrolRefused(str(error)) from error
    if code.edge != config.edge:
        raise EnrolRefused(f"the code is for box {code.edge}, this is {config.edge}")
    keys = box_keys(config.keys, config.edge)
    request = ask(
        code,
        keys.signing,
        Enrol(
            edge=config.edge,
            sign_public=base64.b64encode(keys.signing.public).decode(),
            seal_public=base64.b64encode(keys.sealing.public).decode(),
            certificate=keys.certificate.read_text(),
            url=config.url,
        ),
    )
    answer = await _post(f"{centre_url.rstrip('/')}/api/v1/enrol", request)
    enrolled = _believed(answer, code)
    keys.sealing.open(enrolled.broker)
    write_private(config.keys / "centre.json", msgspec.json.encode(enrolled))
    return enrolled


def _believed(answer: bytes, code: Code) -> Enrolled:
    try:
        claimed = msgspec.json.decode(msgspec.json.decode(answer, type=Signed).body, type=Enrolled)
        public = check_centre(claimed, code)
        return open_signed(answer, {kid_of(public): public}, Enrolled)
    except (BadSignature, msgspec.MsgspecError, ValueError) as error:
        raise EnrolRefused(f"the answer is not the inviting centre's: {error}") from error


async def _post(url: str, request: Enrol) -> bytes:
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                url,
                data=msgspec.json.encode(request),
                headers={"Content-Type": "application/json"},
            ) as response,
        ):
            body = await response.read()
            if response.status not in (200, 201):
                raise EnrolRefused(_reason(response.status, body))
            return body
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise EnrolRefused(f"the centre at {url} cannot be reached: {error}") from error


def _reason(status: int, body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body)
        return f"the centre refused: {problem.get('title') or problem.get('code')} ({status})"
    except (msgspec.MsgspecError, AttributeError):
        return f"the centre answered with HTTP {status}"
