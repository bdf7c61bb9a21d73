"""Whether the coming exams fit on the boxes' disks."""

from orchestrator.access import Action
from orchestrator.planning.forecast import BoxForecast
from web import shapes
from web.call import Call, Nothing
from web.endpoint import Endpoint, get


async def forecast(call: Call, _: Nothing) -> shapes.Forecast:
    """Say what becomes of each box's volume in the coming 30 days."""
    boxes = await call.centre.capacity.forecast()
    return shapes.Forecast(
        at=call.centre.clock.now(),
        timezone=call.centre.config.timezone,
        boxes=tuple(map(box_forecast, boxes)),
    )


def box_forecast(box: BoxForecast) -> shapes.BoxForecast:
    """Give one box's forecast as it is sent."""
    first, options = box.first_day, box.options
    return shapes.BoxForecast(
        edge=box.edge,
        total_bytes=box.total_bytes,
        capacity_bytes=box.capacity_bytes,
        held_bytes=box.held_bytes,
        days=tuple(
            shapes.ForecastDay(
                date=day.date,
                used_bytes=day.used_bytes,
                planned_bytes=day.planned_bytes,
                expiring_bytes=day.expiring_bytes,
                peak_bytes=day.peak_bytes,
                free_bytes=day.free_bytes,
                shortfall_bytes=day.shortfall_bytes,
            )
            for day in box.days
        ),
        rates={basis: box.rates[basis] for basis in sorted(box.rates)},
        fits=None if not box.is_known else first is None,
        first_day=None if first is None else first.date,
        shortfall_bytes=box.shortfall_bytes,
        options=None
        if options is None
        else shapes.ForecastOptions(
            fewer_camera_hours=options.fewer_camera_hours,
            other_boxes=tuple(
                shapes.OtherBox(edge=edge, free_bytes=free) for edge, free in options.other_boxes
            ),
            later=options.later,
        ),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/forecast",
        forecast,
        query=Nothing,
        gives=shapes.Forecast,
        needs=Action.see_forecast,
        summary="Used, planned and free bytes of each box's disk by day, and what does not fit",
    ),
)
