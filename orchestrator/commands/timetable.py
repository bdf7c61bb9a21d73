"""`xunkao timetable`: what a file says, and taking its sessions over."""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contract.clock import SystemClock
from orchestrator.access import Role
from orchestrator.accounts import Person
from orchestrator.applying import Applied
from orchestrator.capacity import Capacity, DoesNotFit
from orchestrator.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigPath,
    at_the_machine,
    opened,
    refusals,
)
from orchestrator.config import Config
from orchestrator.exams import Lead
from orchestrator.planning import Session
from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.job import Job
from orchestrator.timetable.rooms import KnownRoom, read_room_file
from orchestrator.timetable.sessions import Reading, RowVerdict, checked
from orchestrator.timetable_reader import TimetableReader
from orchestrator.timetables import (
    NoSuchTimetable,
    ReasonRequired,
    RunningSession,
    Staged,
    Timetables,
)

app = typer.Typer(help="Timetables: what a file says, and importing it.", no_args_is_help=True)

TimetableFile = Annotated[Path, typer.Argument(help=".xlsx or .csv")]
TermPath = Annotated[
    Path | None, typer.Option(help="Term table (JSON): week 1, sections, named sittings.")
]
RoomsPath = Annotated[Path | None, typer.Option(help="List of rooms (JSON): names and aliases.")]


@app.command()
def check(
    file: TimetableFile,
    term: TermPath = None,
    rooms: RoomsPath = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Say what the file says, without a database. Exit 0: all rows read; 1: some not; 2: none."""
    try:
        job = Job(
            data=file.read_bytes(),
            name=file.name,
            term=term.read_bytes() if term else b"",
            rooms=_rooms(rooms),
            now=SystemClock().now(),
        )
        reading = asyncio.run(TimetableReader().read(job))
    except Unreadable as error:
        typer.echo(f"xunkao: {file}: {error.zh} / {error.en}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"xunkao: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(checked(reading), ensure_ascii=False, indent=1))
    else:
        _show_reading(reading)
    if any(row.verdict == "reject" for row in reading.rows):
        raise typer.Exit(1)


@app.command("import")
def import_file(
    file: TimetableFile,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    reason: Annotated[str, typer.Option(help="Why sessions change; for the ledger.")] = "",
    term: TermPath = None,
    override_capacity: Annotated[
        bool, typer.Option(help="Apply though a box's disk is too small; needs --reason.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Show what the file would change, then apply it."""

    async def work() -> Applied | None:
        async with opened(config) as (settings, store):
            lead = Lead(
                timedelta(minutes=settings.lead_in_minutes),
                timedelta(minutes=settings.lead_out_minutes),
            )
            clock = SystemClock()
            capacity = Capacity(store, clock, lead, settings.timezone)
            timetables = Timetables(store, clock, lead, settings.timezone, capacity=capacity)
            person = _person()
            staged = await timetables.stage(
                file.read_bytes(), file.name, person, term=term.read_bytes() if term else b""
            )
            _show_staged(staged, settings)
            if not yes and not await asyncio.to_thread(_confirmed, staged):
                return None
            return await timetables.apply(staged.id, person, reason, override=override_capacity)

    with refusals(NoSuchTimetable, ReasonRequired):
        try:
            applied = asyncio.run(work())
        except Unreadable as error:
            typer.echo(f"xunkao: {file}: {error.zh} / {error.en}", err=True)
            raise typer.Exit(2) from error
        except DoesNotFit as error:
            typer.echo(f"xunkao: {_too_much(error)}", err=True)
            raise typer.Exit(1) from error
        except RunningSession as error:
            typer.echo(f"xunkao: {_running(error.sessions)}", err=True)
            raise typer.Exit(1) from error
    if applied is None:
        typer.echo("nothing was changed")
        raise typer.Exit(1)
    typer.echo(f"{applied.added} added, {applied.removed} removed, {applied.changed} changed")


def _rooms(path: Path | None) -> tuple[KnownRoom, ...] | None:
    return None if path is None else read_room_file(path.read_bytes()).rooms


def _person() -> Person:
    user = at_the_machine()
    return Person(id=user, user=user, name=user, roles=frozenset({Role.exam_office}))


def _too_much(error: DoesNotFit) -> str:
    return (
        f"does_not_fit: the disk of {error.edge} is too small on {error.day} by "
        f"{error.shortfall_bytes} bytes (at most {error.most_bytes}); see `xunkao forecast`, or "
        "apply it with --override-capacity --reason"
    )


def _running(sessions: Iterable[Session]) -> str:
    named = "; ".join(f"{s.id} ({s.room}, {s.start:%Y-%m-%d %H:%M %Z})" for s in sessions)
    return f"being recorded now, cannot be ended or moved by one person: {named}"


def _confirmed(staged: Staged) -> bool:
    counts = staged.diff
    return typer.confirm(
        f"Add {len(counts.added)}, remove {len(counts.removed)} "
        f"and change {len(counts.changed)} sessions?"
    )


def _show_reading(reading: Reading) -> None:
    console = Console()
    table = Table("start", "end", "room", "headcount", "courses", "invigilators")
    for session in reading.sessions:
        table.add_row(
            f"{session.start:%Y-%m-%d %H:%M}",
            f"{session.end:%H:%M}",
            escape(session.room),
            "" if session.headcount is None else str(session.headcount),
            escape("、".join(exam.name or exam.code or "" for exam in session.courses)),
            escape("、".join(session.invigilators)),
        )
    console.print(table)
    _show_rows(console, reading.rows)
    rejected = sum(row.verdict == "reject" for row in reading.rows)
    console.print(
        f"{len(reading.sessions)} sessions from {len(reading.rows)} rows, {rejected} rejected"
    )


def _show_rows(console: Console, rows: Iterable[RowVerdict]) -> None:
    remarkable = [row for row in rows if row.verdict != "ok"]
    if not remarkable:
        return
    table = Table("sheet", "row", "verdict", "", "")
    for row in remarkable:
        table.add_row(
            escape(row.sheet),
            str(row.row),
            row.verdict,
            escape(row.message_zh),
            escape(row.message_en),
        )
    console.print(table)


def _show_staged(staged: Staged, config: Config) -> None:
    console = Console()
    table = Table("", "session", "room", "start", "end", "courses")
    for sign, session in _lines(staged):
        table.add_row(
            sign,
            session.id,
            escape(staged.room_names.get(session.room, session.room)),
            *_local(session, config.zone),
            escape("、".join(course.name or course.code for course in session.courses)),
        )
    console.print(table)
    _show_rows(console, staged.rows)
    console.print(
        f"{len(staged.diff.unchanged)} sessions stay as they are. Only sessions that came from an "
        "earlier edition of this file (same name) can be removed."
    )
    if staged.capacity is not None and staged.capacity.worst is not None:
        console.print(f"[red]{_too_much(DoesNotFit(staged.capacity.worst))}[/red]")
    if staged.kept:
        console.print(
            f"{len(staged.kept)} sessions are not in this file, but rows of it were rejected: "
            "they are kept. Correct the rows to remove them."
        )


def _lines(staged: Staged) -> Iterable[tuple[str, Session]]:
    for session in staged.diff.added:
        yield "+", session
    for session in staged.diff.removed:
        yield "-", session
    for change in staged.diff.changed:
        yield "<", change.before
        yield ">", change.after


def _local(session: Session, zone: ZoneInfo) -> tuple[str, str]:
    def written(instant: datetime) -> str:
        return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"

    return written(session.start), written(session.end)
