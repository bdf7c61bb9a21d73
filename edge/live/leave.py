"""How long a look may go on."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from contract.messages import Order
from edge import orders

GRACE = timedelta(minutes=10)
"""What a box adds on its own while the centre is down (DESIGN §7)."""
SILENCE_S = 60.0
"""A centre that said nothing for this long has missed a renewal: it is down."""


def grace(
    view_until: datetime,
    silent_s: float,
    cameras: Iterable[str],
    ordered: tuple[Order, ...],
    now: datetime,
) -> datetime | None:
    """Give the end of a look whose leave ran out while the centre is silent; None: it ends now.

    At most `GRACE` behind the leave, and never past the window of any of its cameras.
    """
    if silent_s < SILENCE_S:
        return None
    ends = [view_until + GRACE]
    for camera in cameras:
        open_now = [span.end for span in orders.windows(ordered, camera) if now in span]
        if not open_now:
            return None
        ends += open_now
    return min(ends) if min(ends) > now else None
