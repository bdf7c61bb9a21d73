"""The ledger's head of each hour, kept where the centre's owner cannot change it."""

from datetime import datetime

import msgspec

from contract.anchors import AnchorFile, AnchorLink, anchor_in, forge_on
from contract.keys import Signed, from_base64, to_base64
from edge.config import EdgeConfig
from edge.identity import BoxKeys, box_keys, pinned
from edge.journal import Journal


async def keep_anchor(
    journal: Journal, keys: BoxKeys, edge: str, centre: bytes, anchor: Signed, now: datetime
) -> bool:
    """Add an anchor to the box's chain; False when it is the last one. Raises BadSignature.

    One that is lower than the last is kept too: it shows that the ledger was cut.
    """
    anchor_in(anchor, centre)

    def follow(last: Signed | None) -> Signed | None:
        if last is not None and msgspec.json.decode(last.body, type=AnchorLink).anchor == anchor:
            return None
        return forge_on(keys.signing, edge, last, anchor, now)

    return await journal.add_anchor(follow, now)


async def all_anchors(config: EdgeConfig) -> AnchorFile:
    """Give the box's whole chain; raises NotEnrolled, JournalBusy or JournalDamaged."""
    centre = from_base64(pinned(config.keys).identity_public)
    public = box_keys(config.keys, config.edge).signing.public
    async with Journal.open(config.journal) as journal:
        links = await journal.anchors()
    return AnchorFile(
        edge=config.edge, public=to_base64(public), centre=to_base64(centre), links=links
    )
