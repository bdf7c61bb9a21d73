"""Believing a desired state: who signed it, for whom, in which epoch."""

import base64
from datetime import datetime

import msgspec

from contract.keys import BadSignature, kid_of, open_signed
from contract.messages import DesiredState, Dispatch, EpochGrant
from edge.orders import OrdersInForce, adopt


def believed(payload: bytes, edge: str, site: dict[str, bytes]) -> DesiredState:
    """Give the desired state in a `Dispatch`, when its chain of signatures holds.

    The site's offline key granted the epoch to a plan key; the plan key signed the state.
    Raises BadSignature.
    """
    try:
        dispatch = msgspec.json.decode(payload, type=Dispatch)
    except msgspec.MsgspecError as error:
        raise BadSignature(f"not a dispatch: {error}") from error
    grant = open_signed(msgspec.json.encode(dispatch.grant), site, EpochGrant)
    plan = base64.b64decode(grant.plan_public)
    state = open_signed(msgspec.json.encode(dispatch.state), {kid_of(plan): plan}, DesiredState)
    if state.edge != edge:
        raise BadSignature(f"a desired state for {state.edge}")
    if state.epoch != grant.epoch:
        raise BadSignature(f"epoch {state.epoch} under a grant for {grant.epoch}")
    return state


def is_repeat(current: OrdersInForce, state: DesiredState) -> bool:
    """True for the state the box has already: retained topics come again with every connect."""
    return (state.epoch, state.revision) == (current.epoch, current.revision)


def take(
    current: OrdersInForce,
    payload: bytes,
    edge: str,
    site: dict[str, bytes],
    now: datetime,
    earliest: datetime | None = None,
) -> tuple[DesiredState, OrdersInForce | None]:
    """Give the believed state and the orders after it; None for a repeat.

    `earliest` as for `adopt`. Raises BadSignature or StateRefused.
    """
    state = believed(payload, edge, site)
    if is_repeat(current, state):
        return state, None
    return state, adopt(current, state, now, earliest)
