"""`xunkao forecast`: do the coming exams fit on the disks?"""

import asyncio
import json
from datetime import timedelta
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from contract.clock import SystemClock
from orchestrator.capacity import Capacity
from orchestrator.commands.terminal import DEFAULT_CONFIG, ConfigPath, opened, refusals
from orchestrator.exams import Lead
from orchestrator.planning.forecast import BoxForecast

GB = 1_000_000_000


def forecast(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say what becomes of each box's disk in 30 days. Exit 1: something does not fit."""

    async def work() -> tuple[BoxForecast, ...]:
        async with opened(config) as (settings, store):
            lead = Lead(
                timedelta(minutes=settings.lead_in_minutes),
                timedelta(minutes=settings.lead_out_minutes),
            )
            return await Capacity(store, SystemClock(), lead, settings.timezone).forecast()

    with refusals():
        boxes = asyncio.run(work())
    if as_json:
        told = {"boxes": [as_told(box) for box in boxes]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show(boxes)
    if any(box.first_day is not None for box in boxes):
        raise typer.Exit(1)


def as_told(box: BoxForecast) -> dict[str, Any]:
    """Give one box's forecast as JSON has it, the same as `GET /forecast`."""
    told: dict[str, Any] = msgspec.to_builtins(box)
    first = box.first_day
    told["days"] = [
        {**msgspec.to_builtins(day), "shortfall_bytes": day.shortfall_bytes} for day in box.days
    ]
    told["fits"] = None if not box.is_known else first is None
    told["first_day"] = None if first is None else first.date.isoformat()
    told["shortfall_bytes"] = box.shortfall_bytes
    if box.options is not None:
        told["options"]["other_boxes"] = [
            {"edge": edge, "free_bytes": free} for edge, free in box.options.other_boxes
        ]
    return told


def _show(boxes: tuple[BoxForecast, ...]) -> None:
    console = Console()
    for box in boxes:
        table = Table("day", "used GB", "planned GB", "expiring GB", "free GB", title=box.edge)
        for day in box.days:
            table.add_row(
                day.date.isoformat(),
                _gb(day.used_bytes),
                _gb(day.planned_bytes),
                _gb(day.expiring_bytes),
                "?" if day.free_bytes is None else _gb(day.free_bytes),
                style="red" if day.shortfall_bytes else None,
            )
        console.print(table)
        console.print(_verdict(box))


def _verdict(box: BoxForecast) -> str:
    first = box.first_day
    if not box.is_known:
        return f"{box.edge}: has not told how large its disk is yet"
    if first is None or box.options is None:
        return f"{box.edge}: fits"
    ways = [f"{box.options.fewer_camera_hours:.0f} camera hours less"]
    ways += [f"cameras moved to {edge}" for edge, _ in box.options.other_boxes]
    if box.options.later is not None:
        ways.append(f"exams not before {box.options.later}")
    return (
        f"{box.edge}: {first.date} does not fit, {first.shortfall_bytes} bytes too few "
        f"(at most {box.shortfall_bytes}); one of: {'; '.join(ways)}; a larger disk"
    )


def _gb(size: int) -> str:
    return f"{size / GB:.1f}"
