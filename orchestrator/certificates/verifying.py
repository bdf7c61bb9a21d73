"""Checking a certificate without the centre: every signature in it, and what it says of itself."""

from dataclasses import dataclass

import msgspec

from contract.coverage import SEAM, length_us
from contract.keys import BadSignature, from_base64, kid_of, verify
from contract.messages import CoverageStated, Fact, data_of, verify_fact
from contract.spans import Span
from orchestrator.certificates.document import (
    Certificate,
    SignedCertificate,
    Stated,
    StreamPart,
    read,
    sha256_of,
)

_SEAM_US = SEAM.seconds * 1_000_000
_NO_JSON = (msgspec.MsgspecError, UnicodeDecodeError)
"""What msgspec raises for bytes that are no JSON, or no UTF-8 inside a text."""


class Unreadable(Exception):
    """The file holds no certificate."""


class NotGenuine(Exception):
    """Something was changed after it was signed; the message says what."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate all of whose signatures fit."""

    certificate: Certificate
    kid: str
    is_trusted: bool
    """Its key is one we were told to trust; else it only fits the key in the file itself."""


class _Printed(msgspec.Struct, frozen=True, kw_only=True):
    """What `xunkao coverage SESSION --json` prints around it."""

    proof: SignedCertificate | None = None


def parse(data: bytes) -> SignedCertificate:
    """Read a certificate, bare or as the command prints it; raises Unreadable."""
    try:
        return msgspec.json.decode(data, type=SignedCertificate)
    except _NO_JSON as error:
        try:
            printed = msgspec.json.decode(data, type=_Printed)
        except _NO_JSON:
            raise Unreadable(f"not a certificate: {error}") from error
        if printed.proof is None:
            raise Unreadable("no certificate in it") from error
        return printed.proof


def check(document: SignedCertificate, trusted: dict[str, bytes]) -> Checked:
    """Check the centre's signature, the boxes' and the sums; raises NotGenuine.

    `trusted`: the centre's keys for certificates, kid to public. Where there is none, the one in
    the file is taken, and said so.
    """
    try:
        public = from_base64(document.public)
        kid = kid_of(public)
        if document.certificate.kid != kid:
            raise NotGenuine("the centre's key is not the one it is named by")
        if trusted and trusted.get(kid) != public:
            raise NotGenuine(f"signed with a key that is not the centre's: {kid}")
        verify(public, from_base64(document.certificate.sig), document.certificate.body.encode())
        certificate = read(document.certificate.body)
    except BadSignature as error:
        raise NotGenuine(f"the centre's signature: {error}") from error
    _check_words(document, certificate)
    _check_sums(certificate)
    return Checked(certificate, kid, bool(trusted))


def _check_words(document: SignedCertificate, certificate: Certificate) -> None:
    """Every statement that the centre saw is there, as its box signed it; and no other."""
    parts = [
        (camera.camera, part, stated)
        for camera in certificate.content.cameras
        for part in camera.streams
        for stated in part.statements
    ]
    words = {sha256_of(word.fact): word for word in document.statements}
    if len(document.statements) != len(parts) or len(words) != len(parts):
        raise NotGenuine("there are not as many box statements as the centre saw")
    for camera, part, stated in parts:
        word = words.get(stated.sha256)
        if word is None:
            raise NotGenuine(f"{camera}: the box's statement was changed or is another")
        try:
            public = from_base64(word.public)
            if kid_of(public) != stated.kid:
                raise NotGenuine(f"{camera}: the box's key is another")
            fact = msgspec.json.decode(word.fact, type=Fact)
            verify_fact(public, fact)
            said = data_of(fact)
        except (BadSignature, msgspec.MsgspecError) as error:
            raise NotGenuine(f"{camera}: the box's signature: {error}") from error
        if not isinstance(said, CoverageStated) or fact.edge != stated.edge:
            raise NotGenuine(f"{camera}: the box said something else")
        _check_against(camera, part, stated, said)


def _check_against(camera: str, part: StreamPart, stated: Stated, said: CoverageStated) -> None:
    if (said.camera, said.stream, said.order) != (camera, part.stream, part.order):
        raise NotGenuine(f"{camera}: the box's statement is of another order")
    alone = len({one.edge for one in part.segments} | {one.edge for one in part.statements}) == 1
    if alone and not stated.differs and said.recorded_us != part.recorded_us:
        raise NotGenuine(f"{camera}: box and centre do not say the same")


def _check_sums(certificate: Certificate) -> None:
    content = certificate.content
    parts = [part for camera in content.cameras for part in camera.streams]
    for part in parts:
        missing = sum(gap.us for gap in part.gaps)
        if part.recorded_us + part.seams_us + missing != part.planned_us or any(
            gap.us != length_us(Span(gap.start, gap.end)) or gap.us <= _SEAM_US for gap in part.gaps
        ):
            raise NotGenuine(f"{part.order}: its seconds do not add up")
    if content.planned_us != sum(part.planned_us for part in parts):
        raise NotGenuine("the planned seconds do not add up")
