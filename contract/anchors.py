"""Anchors: the ledger's head, signed by the centre, kept by every box in a chain of its own.

Whoever owns the centre's machine can cut rows off the ledger's end, or compute the whole chain anew
and sign it. What stands on the boxes by then does not change: there it shows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from contract.clock import Instant
from contract.keys import (
    BadSignature,
    Signed,
    SigningKey,
    canonical,
    from_base64,
    kid_of,
    open_signed,
    sign,
)
from contract.messages import Id, Message

FIRST = "0" * 64
"""What stands as the hash before the first link."""


class Anchor(Message, frozen=True, kw_only=True):
    """The ledger's newest row at one moment; signed with the centre's identity key."""

    row: Annotated[int, Meta(ge=1)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    at: Instant


class AnchorLink(Message, frozen=True, kw_only=True):
    """A link of a box's chain of anchors; signed by the box."""

    edge: Id
    number: Annotated[int, Meta(ge=1)]
    previous: str
    """Hash of the link before."""
    anchor: Signed
    at: Instant
    """When the box kept it, by its own clock."""


class AnchorFile(Message, frozen=True, kw_only=True):
    """All that a box has, as it gives it away: one line of a file of anchors."""

    edge: Id
    public: str
    """Base64 of the box's Ed25519 key."""
    centre: str
    """Base64 of the centre's identity key, as the box pinned it."""
    links: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """An anchor and who has it."""

    anchor: Anchor
    by: str


def hash_of(link: Signed) -> str:
    """Give the hash by which the next link names this one."""
    return hashlib.sha256(canonical(link)).hexdigest()


def forge_on(
    key: SigningKey, edge: str, last: Signed | None, anchor: Signed, at: Instant
) -> Signed:
    """Make the link that follows `last`."""
    before = msgspec.json.decode(last.body, type=AnchorLink).number if last else 0
    link = AnchorLink(
        edge=edge,
        number=before + 1,
        previous=hash_of(last) if last else FIRST,
        anchor=anchor,
        at=at,
    )
    return msgspec.json.decode(sign(key, link), type=Signed)


def anchor_in(anchor: Signed, centre: bytes) -> Anchor:
    """Open an anchor that the owner of `centre` signed; raises BadSignature."""
    return open_signed(msgspec.json.encode(anchor), {kid_of(centre): centre}, Anchor)


def witnesses(file: AnchorFile) -> list[Witness]:
    """Give the anchors of a box's file in order; raises BadSignature for a chain that is not whole.

    It may begin with any link: an older part of it may have been given away before.
    """
    public, centre = from_base64(file.public), from_base64(file.centre)
    found: list[Witness] = []
    last: tuple[AnchorLink, Signed] | None = None
    for signed in file.links:
        link = open_signed(msgspec.json.encode(signed), {kid_of(public): public}, AnchorLink)
        if link.edge != file.edge:
            raise BadSignature(f"a link of {link.edge} among those of {file.edge}")
        if last is not None and (
            link.number != last[0].number + 1 or link.previous != hash_of(last[1])
        ):
            raise BadSignature(f"link {link.number} of {file.edge} does not follow the one before")
        last = link, signed
        found.append(Witness(anchor_in(link.anchor, centre), file.edge))
    return found


def read_file(raw: bytes, centre: bytes) -> list[Witness]:
    """Read a file of anchors: on each line what a box gave away, or an anchor as it is printed.

    `centre` is the key by which printed ones are known. Raises BadSignature.
    """
    found: list[Witness] = []
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        found += _read_line(line, centre, number)
    return found


def _read_line(line: bytes, centre: bytes, number: int) -> Sequence[Witness]:
    try:
        return witnesses(msgspec.json.decode(line, type=AnchorFile))
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSignature(f"line {number}: not JSON: {error}") from error
    try:
        anchor = anchor_in(msgspec.json.decode(line, type=Signed), centre)
    except msgspec.ValidationError as error:
        raise BadSignature(f"line {number}: no anchor") from error
    return [Witness(anchor, f"line {number}")]
