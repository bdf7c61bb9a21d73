"""How many statements a piece of work sends to the database."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from orchestrator.store import Store


@contextmanager
def counted(store: Store) -> Generator[list[str]]:
    """Collect what the writer sends while the block lasts; rows of one statement count once."""
    engine = store._writer.sync_engine
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
