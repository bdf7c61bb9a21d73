"""Which holds are in force on a box: absence is not release."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.keys import BadSignature, Signed, SigningKey, kid_of, sign, to_base64
from contract.messages import EpochGrant, Hold, HoldList, HoldNotice, HoldReleased
from edge.holds import HoldsInForce, ListRefused, adopt, believed, holding, load, save
from tests.fakes.shelf import hold

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITE, OLD_KEY, NEW_KEY = SigningKey.make(), SigningKey.make(), SigningKey.make()
H1 = hold("h1", "c1", NOW, NOW + HOUR)


def listing(*holds: Hold, number: int = 2, epoch: int = 1, **more: Any) -> HoldList:
    return HoldList(edge="box-1", epoch=epoch, number=number, issued_at=NOW, holds=holds, **more)


def having(*holds: Hold) -> HoldsInForce:
    return HoldsInForce(epoch=1, number=1, holds=holds)


def notice(found: HoldList, key: SigningKey, grant: EpochGrant, site: SigningKey = SITE) -> bytes:
    return msgspec.json.encode(
        HoldNotice(
            list=msgspec.json.decode(sign(key, found), type=Signed),
            grant=msgspec.json.decode(sign(site, grant), type=Signed),
        )
    )


def grant(epoch: int = 1, hold_public: str = "") -> EpochGrant:
    return EpochGrant(epoch=epoch, plan_public="", issued_at=NOW, hold_public=hold_public)


def read(payload: bytes, edge: str = "box-1") -> HoldList:
    return believed(payload, edge, {kid_of(SITE.public): SITE.public}, OLD_KEY.public)


def test_a_list_signed_with_the_pinned_key_is_believed() -> None:
    assert read(notice(listing(H1), OLD_KEY, grant())).holds == (H1,)


def test_a_new_epoch_may_bring_a_new_key_and_then_the_old_one_is_nothing() -> None:
    rotated = grant(2, to_base64(NEW_KEY.public))
    assert read(notice(listing(epoch=2), NEW_KEY, rotated)).epoch == 2
    with pytest.raises(BadSignature):
        read(notice(listing(epoch=2), OLD_KEY, rotated))


@pytest.mark.parametrize(
    "payload",
    [
        notice(listing(), NEW_KEY, grant()),
        notice(listing(), OLD_KEY, grant(), site=SigningKey.make()),
        notice(listing(epoch=2), OLD_KEY, grant(1)),
        notice(listing(epoch=1), OLD_KEY, grant(2)),
        b"{}",
        b"",
    ],
)
def test_a_list_whose_chain_does_not_hold_is_refused(payload: bytes) -> None:
    with pytest.raises(BadSignature):
        read(payload)


def test_another_boxs_list_is_refused() -> None:
    with pytest.raises(BadSignature):
        read(notice(listing(), OLD_KEY, grant()), edge="box-2")


@pytest.mark.parametrize(("epoch", "number"), [(1, 1), (1, 0), (0, 9)])
def test_a_list_that_is_not_newer_is_refused(epoch: int, number: int) -> None:
    with pytest.raises(ListRefused):
        adopt(having(H1), msgspec.structs.replace(listing(), epoch=epoch, number=number))


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_hold_that_a_newer_list_does_not_name_stays(epoch: int) -> None:
    assert adopt(having(H1), listing(epoch=epoch)).holds == (H1,)


@pytest.mark.parametrize("people", [(), ("li",), ("li", "li")])
def test_one_person_releases_nothing(people: tuple[str, ...]) -> None:
    entry = HoldReleased(hold="h1", ledger=1, approved_by=people)
    assert adopt(having(H1), listing(released=(entry,))).holds == (H1,)


def test_two_persons_release_a_hold() -> None:
    entry = HoldReleased(hold="h1", ledger=1, approved_by=("li", "wang"))
    assert adopt(having(H1), listing(released=(entry,))).holds == ()


def test_a_requests_hold_lapses_without_anybody() -> None:
    requested = hold("h1", "c1", NOW, NOW + HOUR, kind="request")
    entry = HoldReleased(hold="h1", ledger=1)
    assert adopt(having(requested), listing(released=(entry,))).holds == ()


def test_a_hold_cannot_be_made_a_requests_to_let_it_lapse() -> None:
    renamed = hold("h1", "c1", NOW, NOW + HOUR, kind="request")
    after = adopt(having(H1), listing(renamed))
    entry = HoldReleased(hold="h1", ledger=1)
    assert adopt(after, listing(number=3, released=(entry,))).holds == (H1,)


SPANS = st.tuples(st.integers(-50, 50), st.integers(1, 50))


@given(SPANS, SPANS, st.sampled_from(["c1", "c2"]))
def test_a_hold_named_again_never_shrinks(
    old: tuple[int, int], new: tuple[int, int], camera: str
) -> None:
    before = hold("h1", "c1", NOW + old[0] * HOUR, NOW + (old[0] + old[1]) * HOUR)
    again = hold("h1", camera, NOW + new[0] * HOUR, NOW + (new[0] + new[1]) * HOUR)
    (after,) = adopt(having(before), listing(again)).holds
    assert after.start <= min(before.start, again.start)
    assert after.end >= max(before.end, again.end)
    assert {*before.cameras, *again.cameras} == set(after.cameras)


def test_a_hold_keeps_its_cameras_and_its_span_and_nothing_else() -> None:
    assert holding((H1,), "c1", NOW - HOUR, NOW) == []
    assert holding((H1,), "c1", NOW, NOW) == ["h1"]
    assert holding((H1,), "c1", NOW + HOUR, NOW + 2 * HOUR) == []
    assert holding((H1,), "c2", NOW, NOW + HOUR) == []


def test_what_is_in_force_survives_a_restart(tmp_path: Path) -> None:
    save(tmp_path / "holds.json", having(H1))
    assert load(tmp_path / "holds.json") == having(H1)
    assert load(tmp_path / "none.json").issued_at is None
    (tmp_path / "holds.json").write_bytes(b"{")
    with pytest.raises(ValueError, match=r"holds\.json"):
        load(tmp_path / "holds.json")
