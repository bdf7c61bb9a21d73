"""Asking the boxes what they have on record of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from contract.anchors import AnchorFile, Witness, witnesses
from contract.keys import BadSignature, from_base64
from orchestrator.boxes import Boxes, BoxUnreachable
from orchestrator.store import Store
from orchestrator.store.tables import edges


@dataclass(frozen=True, slots=True)
class Silent:
    """A box whose word cannot be had, and why."""

    edge: str
    why: str
    is_wrong: bool = False
    """It answers with what it cannot have kept itself: something was exchanged."""


async def from_boxes(
    store: Store, boxes: Boxes, centre: bytes
) -> tuple[list[Witness], Sequence[Silent]]:
    """Give what all enrolled boxes have, and those that gave nothing of worth."""
    mine = edges.c.enrolled_at.is_not(None) & edges.c.revoked_at.is_(None)
    query = select(edges.c.id, edges.c.sign_public).where(mine).order_by(edges.c.id)
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    found: list[Witness] = []
    silent: list[Silent] = []
    for row in rows:
        try:
            found += await _from_box(boxes, row.id, row.sign_public, centre)
        except BoxUnreachable as error:
            silent.append(Silent(row.id, str(error)))
        except (BadSignature, msgspec.MsgspecError) as error:
            silent.append(Silent(row.id, str(error), is_wrong=True))
    return found, silent


async def _from_box(boxes: Boxes, edge: str, public: bytes, centre: bytes) -> list[Witness]:
    async with boxes.ask(edge, "GET", "/anchors", streaming=True) as answer:
        if answer.status != 200:
            raise BoxUnreachable(f"box {edge} answered with {answer.status}")
        file = msgspec.json.decode(await answer.read(), type=AnchorFile)
    if file.edge != edge or from_base64(file.public) != public:
        raise BadSignature("it answers with another key than the one that was pinned")
    if from_base64(file.centre) != centre:
        raise BadSignature("it was enrolled under another key of the centre")
    return witnesses(file)
