"""A box believes a desired state only along the chain site key, epoch grant, plan key, state."""

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from contract.keys import BadSignature, Signed, SigningKey, kid_of, sign
from contract.messages import DesiredState, Dispatch, EpochGrant, Order
from edge.orders import OrdersInForce, StateRefused
from edge.plan import believed, take

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SITE = SigningKey.make()
PLAN = SigningKey.make()
TRUSTED = {kid_of(SITE.public): SITE.public}


def grant(epoch: int = 1, plan: SigningKey = PLAN, site: SigningKey = SITE) -> Signed:
    public = base64.b64encode(plan.public).decode()
    document = EpochGrant(epoch=epoch, plan_public=public, issued_at=NOW)
    return msgspec.json.decode(sign(site, document), type=Signed)


def state(epoch: int = 1, revision: int = 1, edge: str = "box-1") -> DesiredState:
    order = Order(id="s1.c1", camera="c1", session="s1", start=NOW, end=NOW + timedelta(hours=2))
    return DesiredState(
        edge=edge, epoch=epoch, revision=revision, issued_at=NOW, cameras=(), orders=(order,)
    )


def dispatch(document: DesiredState, leave: Signed, key: SigningKey = PLAN) -> bytes:
    signed = msgspec.json.decode(sign(key, document), type=Signed)
    return msgspec.json.encode(Dispatch(state=signed, grant=leave))


def test_a_state_signed_along_the_chain_is_taken() -> None:
    heard, after = take(OrdersInForce(), dispatch(state(), grant()), "box-1", TRUSTED, NOW)
    assert heard.revision == 1
    assert after is not None
    assert [order.id for order in after.orders] == ["s1.c1"]


def test_a_repeat_changes_nothing() -> None:
    payload = dispatch(state(), grant())
    _, after = take(OrdersInForce(), payload, "box-1", TRUSTED, NOW)
    assert after is not None
    assert take(after, payload, "box-1", TRUSTED, NOW)[1] is None


def test_a_lower_revision_is_refused() -> None:
    have = OrdersInForce(epoch=1, revision=5)
    with pytest.raises(StateRefused, match="not newer"):
        take(have, dispatch(state(), grant()), "box-1", TRUSTED, NOW)


@pytest.mark.parametrize(
    "payload",
    [
        dispatch(state(), grant(site=SigningKey.make())),
        dispatch(state(), grant(), key=SigningKey.make()),
        dispatch(state(), grant(plan=SigningKey.make())),
        dispatch(state(epoch=2), grant(epoch=1)),
        dispatch(state(edge="box-2"), grant()),
        b"{}",
        b"not json",
    ],
    ids=[
        "an epoch nobody granted",
        "a state signed by another key",
        "a grant for another plan key",
        "an epoch other than the grant's",
        "another box's state",
        "an empty object",
        "no JSON",
    ],
)
def test_a_broken_chain_is_refused(payload: bytes) -> None:
    with pytest.raises(BadSignature):
        believed(payload, "box-1", TRUSTED)


def test_a_changed_byte_is_refused() -> None:
    payload = dispatch(state(), grant()).replace(b"s1.c1", b"s1.c2")
    with pytest.raises(BadSignature):
        believed(payload, "box-1", TRUSTED)
