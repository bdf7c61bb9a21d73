"""`xunkao retention`: what will be deleted by when, and of which exams."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from contract.clock import SystemClock
from orchestrator.commands.terminal import DEFAULT_CONFIG, ConfigPath, opened, refusals
from orchestrator.config import Config
from orchestrator.dueexams import ExamDue, ExamsDue
from orchestrator.exams import Lead
from orchestrator.retention import Due, Retention

app = typer.Typer(help="Retention: thirty days, no less.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Retention: thirty days, no less."""


@app.command("due")
def due(
    at: Annotated[str, typer.Option(help="Up to when, ISO 8601; without: now.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Recordings named of each kind.")] = 1000,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say what will be deleted by then, what holds keep, and what is late."""

    async def work() -> tuple[Config, Due, ExamsDue]:
        clock = SystemClock()
        async with opened(config) as (settings, store):
            until = _instant(at, settings) if at else clock.now()
            lead = Lead.of(settings.lead_in_minutes, settings.lead_out_minutes)
            retention = Retention(store, clock, lead)
            found = await retention.due(until, limit)
            return settings, found, await retention.exams_by(until, limit)

    with refusals(ValueError):
        settings, found, exams = asyncio.run(work())
    if as_json:
        document = {**msgspec.to_builtins(found), "exams": msgspec.to_builtins(exams.items)}
        typer.echo(msgspec.json.encode(document).decode())
        return
    local = found.at.astimezone(settings.zone)
    typer.echo(f"by {local:%Y-%m-%d %H:%M}:")
    for name, words in (("due", "deleted"), ("held", "kept by holds"), ("deferred", "late")):
        total = found.totals[name]
        typer.echo(f"  {words:14} {total.segments:8} recordings  {total.bytes / 1e9:10.2f} GB")
    for one in exams.items:
        typer.echo(_line(one, settings))
    if exams.left_out:
        typer.echo(f"  and {exams.left_out} more: --limit")


def _line(one: ExamDue, settings: Config) -> str:
    """Give when it goes, the room, what was examined when, and how much."""
    goes = one.first_at.astimezone(settings.zone)
    start = (one.session.start if one.session else one.start).astimezone(settings.zone)
    courses = "、".join(course.name for course in one.session.courses) if one.session else "-"
    size = f"{one.due.segments} recordings, {one.due.bytes / 1e9:.2f} GB"
    return f"  {goes:%Y-%m-%d %H:%M}  {one.room_name}  {start:%Y-%m-%d %H:%M}  {courses}  {size}"


def _instant(text: str, settings: Config) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--at: {text!r} is no instant (2026-11-25T08:00:00+08:00)") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=settings.zone)).astimezone(UTC)
