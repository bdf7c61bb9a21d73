"""`xunkao ledger`: is the chain whole?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contract.anchors import Witness, read_file
from contract.clock import SystemClock
from contract.keys import BadSignature
from orchestrator.boxes import Boxes
from orchestrator.commands.terminal import DEFAULT_CONFIG, ConfigPath, opened, refusals
from orchestrator.config import Config
from orchestrator.keyring import Keyring, KeysDamaged
from orchestrator.ledger import BrokenLink, Ledger
from orchestrator.store import Store
from orchestrator.witnesses import Silent, from_boxes

app = typer.Typer(help="The ledger of every act and look.", no_args_is_help=True)


class NobodyAnswered(Exception):
    """No box gave its anchors."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the walk showed."""

    rows: int
    broken: BrokenLink | None
    witnesses: Sequence[Witness] = ()
    silent: Sequence[Silent] = field(default=())


@app.callback()
def ledger() -> None:
    """Keep `verify` a command of its own: typer would else drop the name of a single one."""


@app.command("verify")
def verify(
    anchors: Annotated[
        list[Path] | None,
        typer.Option(help="A file of anchors: `xunkao-edge anchors --json`, or as printed."),
    ] = None,
    from_edges: Annotated[
        bool, typer.Option("--from-edges", help="Ask all boxes for their anchors.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Walk the whole chain; exit 1 names the first broken row.

    Rows that were cut off at the end, and a chain that was computed anew, show only against the
    anchors that boxes keep.
    """
    with refusals(KeysDamaged, BadSignature, NobodyAnswered):
        outcome = asyncio.run(_walk(config, anchors or [], from_edges))
    for box in outcome.silent:
        zh = "留存内容不可信" if box.is_wrong else "未应答，未与其核对"
        _say(f"{box.edge} {zh}", f"{box.edge} gave nothing of worth: {box.why}", err=True)
    broken = outcome.broken
    if broken is not None:
        _say(f"第 {broken.id} 行：{broken.why_zh}", f"row {broken.id}: {broken.why}", err=True)
        raise typer.Exit(1)
    if any(box.is_wrong for box in outcome.silent):
        raise typer.Exit(2)
    _say(f"共 {outcome.rows} 行，完整", f"{outcome.rows} rows, whole")
    if outcome.witnesses:
        _say_how_far(outcome)
    elif not anchors and not from_edges:
        _say(
            "未核对锚点：末尾被截断或整条重写无法发现，请用 --from-edges 或 --anchors",
            "no anchors were compared: rows cut off at the end, or a chain written anew, cannot be "
            "seen so; use --from-edges or --anchors",
        )
    else:
        _say("锚点文件为空，未核对", "there are no anchors yet: nothing was compared")


def _say_how_far(outcome: Outcome) -> None:
    newest = max(outcome.witnesses, key=lambda witness: witness.anchor.row)
    by = sorted({witness.by for witness in outcome.witnesses})
    row, at = newest.anchor.row, f"{newest.anchor.at:%Y-%m-%d %H:%M:%S}Z"
    after = outcome.rows - row
    _say(
        f"与 {len(outcome.witnesses)} 个锚点相符（{'、'.join(by)}），最新为第 {row} 行（{at}）；"
        f"其后 {after} 行尚无锚点",
        f"{len(outcome.witnesses)} anchors agree ({', '.join(by)}), the newest with row {row} of "
        f"{at}; no anchor covers the {after} rows after it yet",
    )


def _say(zh: str, en: str, *, err: bool = False) -> None:
    typer.echo(f"{zh} / {en}", err=err)


async def _walk(path: Path, files: Sequence[Path], from_edges: bool) -> Outcome:
    async with opened(path) as (settings, store):
        witnesses, silent = await _witnesses(settings, store, files, from_edges)
        book = Ledger(store, SystemClock())
        length = await book.length()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        with Progress(
            *columns,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as progress:
            task = progress.add_task("核对 / walking", total=length)
            broken = await book.verify(witnesses, lambda rows: progress.advance(task, rows))
        return Outcome(length, broken, witnesses, silent)


async def _witnesses(
    settings: Config, store: Store, files: Sequence[Path], from_edges: bool
) -> tuple[list[Witness], Sequence[Silent]]:
    if not files and not from_edges:
        return [], ()
    keyring = Keyring.open(settings.keys, SystemClock().now(), may_set_up=False)
    found: list[Witness] = []
    for file in files:
        try:
            found += read_file(file.read_bytes(), keyring.identity.public)
        except BadSignature as error:
            raise BadSignature(f"{file}: {error}") from error
    silent: Sequence[Silent] = ()
    if from_edges:
        async with Boxes.open(store, keyring) as boxes:
            theirs, silent = await from_boxes(store, boxes, keyring.identity.public)
        if silent and not theirs and not found and not any(box.is_wrong for box in silent):
            raise NobodyAnswered("; ".join(box.why for box in silent))
        found += theirs
    return found, silent
