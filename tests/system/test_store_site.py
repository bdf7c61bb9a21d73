"""Rooms and cameras in the store, on both databases."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from contract.keys import SealBroken, SealKey
from contract.messages import Source
from orchestrator.commands.site import camera_app, room_app
from orchestrator.ledger import Ledger
from orchestrator.site import NewCamera, Room, Site, SiteCamera, SiteRefused
from orchestrator.store import Store
from orchestrator.store.tables import cameras, edges, ledger, rooms
from tests.fakes.clock import ManualClock

ROOM = Room("A101", "教一-101", "教一", "主校区", 60, ("教一101",))
SOURCE = Source(
    main="rtsp://10.20.0.5/main", sub="rtsp://10.20.0.5/sub", user="admin", password="planted"
)
CAMERA = NewCamera(SiteCamera("cam-1", "A101", "box-1", "sw-3"), SOURCE)
KEY = SealKey.make()


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, ManualClock(), ["10.20.0.0/16"], KEY)


async def _code(work: object) -> str:
    with pytest.raises(SiteRefused) as refused:
        await work  # type: ignore[misc]  # any awaitable of the site
    return refused.value.code


async def _sealed(store: Store) -> str:
    async with store.read() as connection:
        return str(await connection.scalar(select(cameras.c.sealed)))


async def test_a_room_is_listed_with_its_cameras(site: Site) -> None:
    await site.add_room(ROOM, "zhao")
    await site.add_camera(CAMERA, "zhao")
    assert await site.rooms() == [replace(ROOM, cameras=("cam-1",))]
    assert await site.cameras() == [CAMERA.camera]
    assert await site.camera("cam-1") == CAMERA.camera
    assert await site.camera("cam-2") is None


async def test_a_source_is_kept_sealed_to_the_centre_alone(site: Site, store: Store) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    sealed = await _sealed(store)
    assert site.open(sealed) == SOURCE
    with pytest.raises(SealBroken):
        Site(store, ManualClock(), (), SealKey.make()).open(sealed)


async def test_the_planted_password_and_address_are_nowhere(site: Site, store: Store) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    async with store.read() as connection:
        tables = [
            (await connection.execute(select(table))).all()
            for table in (rooms, edges, cameras, ledger)
        ]
    shown = repr((tables, await site.rooms(), await site.cameras()))
    assert "planted" not in shown
    assert "10.20.0.5" not in shown


async def test_naming_a_box_at_a_camera_makes_it_known(site: Site, store: Store) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    async with store.read() as connection:
        (box,) = (await connection.execute(select(edges))).all()
    assert (box.id, box.enrolled_at) == ("box-1", None)


async def test_what_is_there_is_not_added_again(site: Site) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    assert await _code(site.add_room(ROOM, "zhao")) == "exists"
    assert await _code(site.add_camera(CAMERA, "zhao")) == "exists"


@pytest.mark.parametrize(
    ("room", "camera", "code"),
    [
        (replace(ROOM, id="教101"), CAMERA, "bad_id"),
        (replace(ROOM, id="a/b"), CAMERA, "bad_id"),
        (ROOM, replace(CAMERA, camera=SiteCamera("+", "A101", "box-1")), "bad_id"),
        (ROOM, replace(CAMERA, camera=SiteCamera("cam-1", "A101", "#")), "bad_id"),
        (ROOM, replace(CAMERA, camera=SiteCamera("cam-1", "B1", "box-1")), "no_such_room"),
        (replace(ROOM, id="A102"), CAMERA, "no_such_room"),
        (
            ROOM,
            replace(CAMERA, source=Source(main=SOURCE.main, sub="rtsp://8.8.8.8/sub")),
            "outside_subnets",
        ),
        (
            ROOM,
            replace(CAMERA, source=Source(main="http://10.20.0.5/", sub=SOURCE.sub)),
            "bad_url",
        ),
    ],
)
async def test_what_is_refused_leaves_nothing(
    site: Site, store: Store, room: Room, camera: NewCamera, code: str
) -> None:
    assert await _code(site.put([room], [camera], "zhao")) == code
    assert await site.rooms() == []
    assert await Ledger(store, ManualClock()).length() == 0


async def test_two_rooms_of_one_name_are_refused(site: Site) -> None:
    await site.add_room(ROOM, "zhao")
    assert await _code(site.add_room(replace(ROOM, id="A102"), "zhao")) == "name_taken"


async def test_putting_the_same_twice_changes_nothing(site: Site, store: Store) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    sealed, acts = await _sealed(store), await Ledger(store, ManualClock()).length()
    await site.put([ROOM], [CAMERA], "zhao")
    assert await _sealed(store) == sealed
    assert await Ledger(store, ManualClock()).length() == acts


async def test_a_change_says_in_the_ledger_what_but_not_to_what(site: Site, store: Store) -> None:
    await site.put([ROOM], [CAMERA], "zhao")
    secret = replace(CAMERA, source=Source(main=SOURCE.main, sub=SOURCE.sub, password="other"))
    await site.put([replace(ROOM, capacity=50)], [secret], "zhao", "10.0.0.9")
    acts = [entry.act for entry in await Ledger(store, ManualClock()).entries()]
    assert [(act.action, act.object, act.reason, act.source) for act in acts[2:]] == [
        ("change_room", "A101", "capacity", "10.0.0.9"),
        ("change_camera", "cam-1", "sealed", "10.0.0.9"),
    ]
    assert site.open(await _sealed(store)).password == "other"


def _config(tmp_path: Path) -> list[str]:
    config = tmp_path / "xunkao.toml"
    config.write_text(
        f"data = {json.dumps(str(tmp_path / 'data'))}\ncamera_subnets = ['10.20.0.0/16']"
    )
    return ["--config", str(config)]


def test_commands_refuse_before_the_centre_has_keys(tmp_path: Path) -> None:
    done = CliRunner().invoke(room_app, ["add", "A101", "教一-101", *_config(tmp_path)])
    assert done.exit_code == 2
    assert "xunkao serve" in done.stderr


def test_rooms_and_cameras_are_added_imported_and_listed_by_command(tmp_path: Path) -> None:
    config = _config(tmp_path)
    SealKey.load_or_make(tmp_path / "data/keys/seal.key")
    run = CliRunner().invoke
    secret = tmp_path / "secret"
    secret.write_text("planted\n")
    table = tmp_path / "site.csv"
    table.write_text(
        "room_code,room_name,camera_id,edge,main_url,sub_url,user,password\n"
        "B201,教二-201,cam-2,box-1,rtsp://10.20.0.6/main,rtsp://10.20.0.6/sub,admin,planted\n"
    )
    urls = ["--main", SOURCE.main, "--sub", SOURCE.sub]
    who = ["--room", "A101", "--edge", "box-1", "--user", "admin", "--password-file", str(secret)]
    outputs = [
        run(room_app, ["add", "A101", "教一-101", "--alias", "教一101", *config]),
        run(camera_app, ["add", "cam-1", *who, *urls, *config]),
        run(camera_app, ["import", str(table), *config]),
        run(room_app, ["list", *config]),
        run(camera_app, ["list", *config]),
    ]
    assert [done.exit_code for done in outputs] == [0] * 5
    assert outputs[2].stdout == "1 rooms, 1 cameras\n"
    assert outputs[3].stdout == "A101\t教一-101\tcam-1\nB201\t教二-201\tcam-2\n"
    assert outputs[4].stdout == "cam-1\tA101\tbox-1\ncam-2\tB201\tbox-1\n"
    outside = ["--main", "rtsp://8.8.8.8/", "--sub", SOURCE.sub]
    refused = run(camera_app, ["add", "cam-3", *who, *outside, *config])
    assert refused.exit_code == 2
    assert "camera_subnets" in refused.stderr
    assert "planted" not in "".join(done.output for done in [*outputs, refused])
