"""How `xunkao-edge shelf verify` says what it found: a bar and sentences, or JSON."""

from dataclasses import asdict

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from edge.config import EdgeConfig
from edge.recording.shelfcheck import Verified, verify

_LISTED = 20


async def report(config: EdgeConfig, *, as_json: bool) -> bool:
    """Verify and say it; true when all is intact. Raises what `verify` raises."""
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    silent = as_json or not console.is_terminal
    with Progress(*columns, console=console, disable=silent) as bars:
        task = bars.add_task("shelf", total=None)

        def show(found: Verified) -> None:
            bars.update(task, total=found.bytes, completed=found.bytes_done)

        found = await verify(config, show)
    print(as_line(found) if as_json else in_words(found))
    return not found.faults


def as_line(found: Verified) -> str:
    """Say it as one line of JSON."""
    told = {
        "intact": not found.faults,
        "segments": found.segments,
        "bytes": found.bytes,
        "seconds": round(found.seconds, 3),
        "megabytes_per_second": round(found.megabytes_per_second, 1),
        "faults": [asdict(fault) for fault in found.faults],
        "quarantined": found.quarantined,
    }
    return msgspec.json.encode(told).decode()


def in_words(found: Verified) -> str:
    """Say it for people."""
    rate = f"{found.megabytes_per_second:.0f} MB/s"
    lines = [f"{found.segments} segments, {found.bytes / 1e6:.1f} MB read at {rate}"]
    if found.faults:
        first = found.faults[0]
        lines.append(f"BROKEN first at {first.path}: {first.detail}")
        for fault in found.faults[:_LISTED]:
            lines.append(f"  {fault.kind:10} {fault.path}: {fault.detail}")
        if len(found.faults) > _LISTED:
            lines.append(f"  and {len(found.faults) - _LISTED} more")
    else:
        lines.append("intact: every file is what was recorded, and the chain is whole")
    if found.quarantined:
        lines.append(f"{len(found.quarantined)} in quarantine:")
        lines += [f"  {path}" for path in found.quarantined[:_LISTED]]
    return "\n".join(lines)
