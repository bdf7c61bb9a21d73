"""Tables of rooms and cameras."""

import pytest

from contract.messages import Source
from orchestrator.site import NewCamera, Room, SiteCamera
from orchestrator.sitefile import SiteFileRefused, read

HEADER = (
    "room_code,room_name,building,campus,capacity,camera_id,edge,main_url,sub_url,user,password"
)
ONE = "A101,教一-101,教一,主校区,60,cam-1,box-1,rtsp://10.0.0.1/1,rtsp://10.0.0.1/2,admin,pw"
ROOM = Room("A101", "教一-101", "教一", "主校区", 60)
CAMERA = NewCamera(
    SiteCamera("cam-1", "A101", "box-1"),
    Source(main="rtsp://10.0.0.1/1", sub="rtsp://10.0.0.1/2", user="admin", password="pw"),
)


def _table(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *rows)).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_rooms_and_cameras_are_read(encoding: str) -> None:
    found = read(_table(ONE).decode().encode(encoding))
    assert found.rooms == (ROOM,)
    assert found.cameras == (CAMERA,)


def test_a_room_may_have_several_cameras_or_none() -> None:
    second = ONE.replace("cam-1", "cam-2")
    found = read(_table(ONE, second, "A102,教一-102,,,,,,,,,"))
    assert [room.id for room in found.rooms] == ["A101", "A102"]
    assert [new.camera.id for new in found.cameras] == ["cam-1", "cam-2"]


def test_the_columns_may_stand_in_any_order_and_some_may_be_missing() -> None:
    header = "sub_url,main_url,edge,camera_id,room_name,room_code,aliases,switch"
    row = "rtsp://10.0.0.1/2,rtsp://10.0.0.1/1,box-1,cam-1,教一-101,A101,教一101|1-101,sw-3"
    found = read(_table(row, header=header))
    assert found.rooms[0].aliases == ("教一101", "1-101")
    assert found.cameras[0].camera.switch == "sw-3"
    assert found.cameras[0].source.user == ""


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\xff\xff\xff", "neither UTF-8 nor GB18030"),
        (b"", "line 1: missing"),
        (_table(header="room_code,room_name"), "missing camera_id, edge, main_url, sub_url"),
        (_table(header=HEADER + ",colour"), "line 1: unknown colour"),
        (_table(ONE, ONE), "line 3: camera cam-1 stands here twice"),
        (_table(ONE, ONE.replace("主校区", "东校区")), "line 3: room A101 is another one"),
        (_table(ONE.replace("A101", "")), "line 2: room_code and room_name"),
        (_table(ONE.replace(",60,", ",many,")), "line 2: capacity"),
        (_table(ONE.replace(",60,", ",0,")), "line 2: capacity"),
        (_table(ONE.replace("box-1", "")), "line 2: missing edge"),
        (_table('"A101'), "after line 1: unexpected end"),
        (_table(ONE + ",more"), "line 2: more fields"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_no_password_is_repeated(
    data: bytes, complaint: str
) -> None:
    with pytest.raises(SiteFileRefused, match=complaint) as refused:
        read(data)
    assert "pw" not in str(refused.value)
