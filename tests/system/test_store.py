"""The store on SQLite and on PostgreSQL."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Table, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.store import Store, StoreTooNew, StoreUnavailable
from orchestrator.store.steady import whole
from orchestrator.store.tables import edges, exam_sessions, fact_marks, invites, rooms

NOON = datetime(2026, 6, 20, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))


async def _values(store: Store, column: Column[object]) -> list[object]:
    async with store.read() as connection:
        return list(await connection.scalars(select(column).order_by(column)))


async def _set(connection: AsyncConnection, key: str) -> None:
    await connection.execute(insert(rooms).values(id=key, name=key, aliases=["名", None, "二"]))


async def test_what_is_written_is_read(store: Store) -> None:
    async with store.write() as connection:
        await _set(connection, "a")
    async with store.read() as connection:
        value = await connection.scalar(select(rooms.c.aliases))
    assert value == ["名", None, "二"]


async def test_a_body_that_raises_leaves_nothing(store: Store) -> None:
    async def write() -> None:
        async with store.write() as connection:
            await _set(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    assert await _values(store, rooms.c.id) == []


async def test_a_cancelled_transaction_leaves_nothing_and_no_lock(store: Store) -> None:
    written, never = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with store.write() as connection:
            await _set(connection, "a")
            written.set()
            await never.wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5), store.write() as connection:
        await _set(connection, "b")
    assert await _values(store, rooms.c.id) == ["b"]


async def test_cancelling_at_any_moment_leaves_the_next_writer_free(store: Store) -> None:
    async def write(number: int) -> None:
        async with store.write() as connection:
            await _set(connection, f"first {number}")
            await _set(connection, f"second {number}")

    for steps in range(40):
        task = asyncio.create_task(write(steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5), store.write() as connection:
        await _set(connection, "last")
    keys = [str(key) for key in await _values(store, rooms.c.id)]
    pairs = {key.split()[-1] for key in keys} - {"last"}
    assert keys == sorted([*(f"{n} {p}" for p in pairs for n in ("first", "second")), "last"])


async def test_work_that_was_begun_ends_though_its_caller_is_cancelled_twice() -> None:
    go, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        ended.set()

    task = asyncio.create_task(whole(work()))
    for _ in range(2):
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_writers_take_turns_and_readers_do_not_wait(store: Store) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with store.write() as connection:
            await _set(connection, "first")
            inside.set()
            await go_on.wait()

    async def second() -> None:
        async with store.write() as connection:
            await _set(connection, "second")

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        await inside.wait()
        group.create_task(second())
        async with asyncio.timeout(5):
            assert await _values(store, rooms.c.id) == []
        go_on.set()
    assert await _values(store, rooms.c.id) == ["first", "second"]


async def test_a_reader_sees_one_state(store: Store) -> None:
    async with store.read() as connection:
        assert (await connection.scalars(select(rooms.c.id))).all() == []
        async with store.write() as writer:
            await _set(writer, "a")
        assert (await connection.scalars(select(rooms.c.id))).all() == []
    assert await _values(store, rooms.c.id) == ["a"]


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(SQLAlchemyError, match=r"readonly|read-only"):
        async with store.read() as connection:
            await _set(connection, "a")


async def test_an_instant_comes_back_to_the_microsecond_in_utc(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(insert(edges).values(id="box-1", revoked_at=NOON, revoked_why="x"))
    async with store.read() as connection:
        found = await connection.scalar(select(edges.c.revoked_at))
    assert found == NOON
    assert found is not None
    assert found.tzinfo is UTC


async def test_a_naive_instant_is_refused(store: Store) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive"):
        async with store.write() as connection:
            await connection.execute(insert(edges).values(id="box-1", revoked_at=naive))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (rooms, {"id": "A101", "name": "A101", "capacity": 0}),
        (edges, {"id": "box-1", "enrolled_at": NOON}),
        (edges, {"id": "box-1", "revoked_at": NOON}),
        (fact_marks, {"edge": "never seen", "up_to": 1}),
        (
            invites,
            {
                "id": "i",
                "edge": "never seen",
                "secret": "",
                "invited_by": "",
                "invited_at": NOON,
                "expires_at": NOON,
            },
        ),
        (
            exam_sessions,
            {
                "id": "s",
                "provenance": "p",
                "room": "never seen",
                "starts_at": NOON,
                "ends_at": NOON + timedelta(hours=1),
                "courses": [],
                "invigilators": [],
            },
        ),
    ],
)
async def test_the_database_itself_refuses(
    store: Store, table: Table, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError):
        async with store.write() as connection:
            await connection.execute(insert(table).values(**values))


async def test_a_store_is_opened_again_with_what_it_held(database: str) -> None:
    async with Store.open(database) as store, store.write() as connection:
        await _set(connection, "a")
    async with Store.open(database) as store:
        assert await _values(store, rooms.c.id) == ["a"]


async def test_a_database_of_a_later_version_is_refused_and_left_alone(database: str) -> None:
    async with Store.open(database) as store, store.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="9999"):
        async with Store.open(database):
            pass


async def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailable, match=r"broken\.sqlite"):
        async with Store.open(f"sqlite:///{tmp_path}/broken.sqlite"):
            pass
    with pytest.raises(StoreUnavailable, match=r"\*\*\*") as refused:
        async with Store.open(f"postgresql://u:planted@/x?host={tmp_path}"):
            pass
    assert "planted" not in str(refused.value)


async def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"sqlite:///{tmp_path}/file/centre.sqlite", "sqlite://", "mysql://u@h/x"):
        with pytest.raises(StoreUnavailable):
            async with Store.open(url):
                pass


async def test_a_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    async with Store.open(f"sqlite:///{tmp_path}/data/centre.sqlite") as store:
        async with store.write() as connection:
            await _set(connection, "a")
        files = list((tmp_path / "data").iterdir())
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_two_processes_may_write_to_one_sqlite_file(tmp_path: Path) -> None:
    async with Store.open(f"sqlite:///{tmp_path}/centre.sqlite") as store:
        with contextlib.closing(sqlite3.connect(tmp_path / "centre.sqlite")) as other:
            other.execute("INSERT INTO rooms VALUES ('other', 'other', '[]', '', '', NULL)")
            other.commit()
        async with store.write() as connection:
            await _set(connection, "ours")
        assert await _values(store, rooms.c.id) == ["other", "ours"]
