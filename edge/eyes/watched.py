"""Which cameras the eyes look at now, and by which reference view."""

from datetime import datetime

from edge.orders import OrdersInForce, is_open


def watched(orders: OrdersInForce, now: datetime) -> dict[str, str]:
    """Give the cameras with an open order, each with its approved reference or nothing."""
    wanted = {order.camera for order in orders.orders if is_open(order, now)}
    return {camera.id: camera.reference for camera in orders.cameras if camera.id in wanted}
