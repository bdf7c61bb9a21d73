"""The ledger, for those who watch over the watchers."""

from typing import Annotated

from msgspec import Meta

from orchestrator.access import Action
from orchestrator.ledger import Act, Entry
from web.call import Call
from web.endpoint import Endpoint, get
from web.shapes import LedgerRow, Page, Request


class LedgerQuery(Request, frozen=True, kw_only=True):
    """Rows after one."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[int, Meta(ge=0, le=2**62)] = 0


async def ledger(call: Call, asked: LedgerQuery) -> Page[LedgerRow]:
    """List the acts, oldest first; reading them is an act too."""
    await call.centre.ledger.record(
        Act(call.person.user, Action.read_ledger, f"after {asked.after}", source=call.source)
    )
    found = await call.centre.ledger.entries(asked.after, asked.limit + 1)
    shown = found[: asked.limit]
    return Page(
        items=tuple(map(_row, shown)),
        next=str(shown[-1].id) if len(found) > len(shown) else None,
    )


def _row(entry: Entry) -> LedgerRow:
    act = entry.act
    return LedgerRow(
        id=entry.id,
        at=entry.at,
        actor=act.actor,
        action=act.action,
        object=act.object,
        reason=act.reason,
        result=act.result,
        source=act.source,
        hash=entry.hash,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/ledger",
        ledger,
        query=LedgerQuery,
        gives=Page[LedgerRow],
        needs=Action.read_ledger,
        summary="The ledger, oldest first",
    ),
)
