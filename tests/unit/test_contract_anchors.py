"""The chain of the ledger's heads that a box keeps."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.anchors import Anchor, AnchorFile, forge_on, read_file, witnesses
from contract.keys import BadSignature, Signed, SigningKey, sign, to_base64

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOX, CENTRE, STRANGER = SigningKey.make(), SigningKey.make(), SigningKey.make()


def anchor(row: int, key: SigningKey = CENTRE) -> Signed:
    head = Anchor(row=row, hash=f"{row:064x}", at=NOON + timedelta(hours=row))
    return msgspec.json.decode(sign(key, head), type=Signed)


def chain(*rows: int, key: SigningKey = BOX, edge: str = "b1") -> AnchorFile:
    links: list[Signed] = []
    for row in rows:
        links.append(forge_on(key, edge, links[-1] if links else None, anchor(row), NOON))
    return AnchorFile(
        edge=edge,
        public=to_base64(BOX.public),
        centre=to_base64(CENTRE.public),
        links=tuple(links),
    )


def test_a_chain_is_read_as_it_was_kept() -> None:
    found = witnesses(chain(3, 9, 40))
    assert [(one.anchor.row, one.by) for one in found] == [(3, "b1"), (9, "b1"), (40, "b1")]


@given(st.data())
def test_no_link_can_be_taken_out_doubled_or_moved(data: st.DataObject) -> None:
    links = list(chain(1, 2, 3, 4).links)
    order = data.draw(st.lists(st.sampled_from(range(4)), min_size=1, max_size=6))
    file = msgspec.structs.replace(chain(), links=tuple(links[place] for place in order))
    if order == list(range(order[0], order[0] + len(order))):
        assert len(witnesses(file)) == len(order)  # a part without a hole says no less
    else:
        with pytest.raises(BadSignature):
            witnesses(file)


def test_a_link_of_another_box_another_key_or_another_centre_is_refused() -> None:
    with pytest.raises(BadSignature, match="no trusted key"):
        witnesses(chain(1, key=STRANGER))
    other = msgspec.structs.replace(chain(1), links=chain(1, edge="b2").links)
    with pytest.raises(BadSignature, match="link of b2"):
        witnesses(other)
    forged = (forge_on(BOX, "b1", None, anchor(1, STRANGER), NOON),)
    with pytest.raises(BadSignature, match="no trusted key"):
        witnesses(msgspec.structs.replace(chain(), links=forged))


def test_a_file_may_hold_several_boxes_and_what_was_printed() -> None:
    lines = (chain(1, 2), anchor(7))
    raw = b"\n\n".join(map(msgspec.json.encode, lines))
    found = [(one.anchor.row, one.by) for one in read_file(raw, CENTRE.public)]
    assert found == [(1, "b1"), (2, "b1"), (7, "line 3")]


@pytest.mark.parametrize("raw", [b"nonsense", b'{"a":1}', b"\xff", msgspec.json.encode(anchor(1))])
def test_what_is_no_anchor_of_this_centre_is_said(raw: bytes) -> None:
    with pytest.raises(BadSignature):
        read_file(raw, STRANGER.public)
