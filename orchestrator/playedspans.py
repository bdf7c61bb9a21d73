"""What was sent in a play session and what its page says of it: kept merged, told in few rows."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.spans import Span
from orchestrator.footage import few, span_words
from orchestrator.ledger import Act, append
from orchestrator.store.tables import playback_spans, playbacks

MOST_SPANS = 2000
"""Of a session; beyond it the newest one grows over what lies between: more than was sent, never
less."""
MOST_TOLD = 20
"""Spans in one row of the ledger."""
_JOIN = timedelta(seconds=1)
_NEWEST = 4
"""How many of the newest spans a new one may continue: a page reads ahead of what it shows."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a page says it showed."""

    camera: str
    span: Span
    speed: float


async def note_served(
    connection: AsyncConnection, playback: str, camera: str, span: Span, now: datetime
) -> None:
    """Add what is about to be sent to what was."""
    await _note(connection, playback, camera, span, None, now)


async def note_reported(
    connection: AsyncConnection, playback: str, said: Sequence[Played], now: datetime
) -> None:
    """Add what the page says."""
    for one in said:
        await _note(connection, playback, one.camera, one.span, one.speed, now)


async def _note(
    connection: AsyncConnection,
    playback: str,
    camera: str,
    span: Span,
    speed: float | None,
    now: datetime,
) -> None:
    s = playback_spans.c
    mine = (s.playback == playback) & (s.camera == camera) & s.ledger.is_(None)
    mine &= s.speed.is_(None) if speed is None else s.speed == speed
    query = select(playback_spans).where(mine).order_by(s.last_at.desc()).limit(_NEWEST)
    newest = (await connection.execute(query)).all()
    onto = next((row for row in newest if _continues(row, span)), None)
    if onto is None:
        count = select(func.count()).where(s.playback == playback)
        if newest and int(await connection.scalar(count) or 0) >= MOST_SPANS:
            onto = newest[0]
    if onto is not None:
        await connection.execute(
            update(playback_spans)
            .where(s.id == onto.id)
            .values(
                starts_at=min(onto.starts_at, span.start),
                ends_at=max(onto.ends_at, span.end),
                last_at=now,
            )
        )
        return
    await connection.execute(
        insert(playback_spans).values(
            id=secrets.token_hex(8),
            playback=playback,
            camera=camera,
            starts_at=span.start,
            ends_at=span.end,
            speed=speed,
            first_at=now,
            last_at=now,
        )
    )


def _continues(row: Row[Any], span: Span) -> bool:
    return bool(row.starts_at - _JOIN <= span.end and span.start <= row.ends_at + _JOIN)


async def tell(connection: AsyncConnection, playback: Row[Any], now: datetime) -> None:
    """Write to the ledger what has not been told yet: a row a camera, and one a camera and speed.

    `watch_recording` is what was sent; `report_playback` is what the page says.
    """
    s = playback_spans.c
    query = (
        select(playback_spans)
        .where(s.playback == playback.id, s.ledger.is_(None))
        .order_by(s.camera, s.speed, s.starts_at)
    )
    parts: dict[tuple[str, float | None], list[Row[Any]]] = {}
    for row in await connection.execute(query):
        parts.setdefault((row.camera, row.speed), []).append(row)
    for (camera, speed), rows in parts.items():
        spans = few((Span(row.starts_at, row.ends_at) for row in rows), MOST_TOLD)
        words = f"{playback.id} {camera} {span_words(spans)}"
        if speed is None:
            act = Act(playback.user, "watch_recording", words, playback.reason)
        else:
            act = Act(playback.user, "report_playback", f"{words} ×{speed:g}", playback.reason)
        number = await append(connection, act, now)
        told = [row.id for row in rows]
        await connection.execute(update(playback_spans).where(s.id.in_(told)).values(ledger=number))
    await connection.execute(
        update(playbacks).where(playbacks.c.id == playback.id).values(told_at=now)
    )
