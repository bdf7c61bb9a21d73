"""Reference views through the box's server: given by their ticket, taken anew on request."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientResponse
from yarl import URL

from contract.boxapi import TICKET_HEADER
from contract.keys import write_private
from contract.messages import Camera
from contract.ticket import issue
from edge.orders import OrdersInForce
from edge.references import References
from tests.fakes.live_centre import LiveBox, live_box, make_ticket

PNG = b"\x89PNG a view of a room"
SHA256 = hashlib.sha256(PNG).hexdigest()
VIEW = f"references/cam1/{SHA256}"


@pytest.fixture
def references(tmp_path: Path) -> References:
    views = References.below(tmp_path)
    write_private(views.place("cam1", SHA256), PNG)
    return views


def has_camera(folder: Path, camera: str, reference: str = "") -> None:
    one = Camera(id=camera, room="A101", sealed="", reference=reference)
    orders = OrdersInForce(cameras=(one,))
    write_private(folder / "orders.json", msgspec.json.encode(orders))


async def ask(box: LiveBox, method: str, path: str, leave: str | None = None) -> ClientResponse:
    ticket = make_ticket(leave or path, "cam1", purpose="playback")
    headers = {TICKET_HEADER: issue(box.ticket_key, ticket)}
    url = URL(f"{box.config.url}/{path}", encoded=True)
    response = await box.session.request(method, url, headers=headers)
    await response.read()
    return response


async def test_a_ticket_opens_a_reference_view(tmp_path: Path, references: References) -> None:
    async with live_box(tmp_path, "cam1") as box:
        response = await ask(box, "GET", VIEW)
        assert (response.status, await response.read()) == (200, PNG)
        assert response.content_type == "image/png"
        assert (references.find("cam1", SHA256).stat().st_mode & 0o777) == 0o600


async def test_only_the_newest_and_the_approved_view_are_shown(
    tmp_path: Path, references: References
) -> None:
    newest = hashlib.sha256(b"newer").hexdigest()
    references.put_forward("cam1", SHA256)
    async with live_box(tmp_path, "cam1") as box:
        has_camera(tmp_path, "cam1")
        assert (await ask(box, "GET", VIEW)).status == 200
        write_private(references.place("cam1", newest), b"newer")
        references.put_forward("cam1", newest)
        assert (await ask(box, "GET", f"references/cam1/{newest}")).status == 200
        assert (await ask(box, "GET", VIEW)).status == 404
        has_camera(tmp_path, "cam1", reference=SHA256)
        assert (await ask(box, "GET", VIEW)).status == 200


async def test_a_ticket_opens_no_other_view(tmp_path: Path, references: References) -> None:
    async with live_box(tmp_path, "cam1") as box:
        response = await ask(box, "GET", VIEW, leave="references/cam2/" + SHA256)
        assert (response.status, await response.json()) == (403, {"code": "other_offer"})
        bare = await box.session.get(f"{box.config.url}/{VIEW}")
        assert bare.status == 400


@pytest.mark.parametrize(
    "path", ["references/cam1/" + 64 * "0", "references/cam1/thresholds", "references/..%2Fa/b"]
)
async def test_what_is_no_stored_view_is_not_found(
    tmp_path: Path, references: References, path: str
) -> None:
    async with live_box(tmp_path, "cam1") as box:
        plain = URL(f"/{path}", encoded=True).path.lstrip("/")
        assert (await ask(box, "GET", path, leave=plain)).status == 404


async def test_a_new_view_is_wished_for_of_cameras_that_are_here(
    tmp_path: Path, references: References
) -> None:
    async with live_box(tmp_path, "cam1") as box:
        has_camera(tmp_path, "cam1")
        assert (await ask(box, "POST", "references/cam1")).status == 202
        assert references.asked() == {"cam1"}
        assert (await ask(box, "POST", "references/cam9")).status == 404
        assert references.asked() == {"cam1"}


async def test_nothing_is_wished_for_without_leave(tmp_path: Path, references: References) -> None:
    async with live_box(tmp_path, "cam1") as box:
        has_camera(tmp_path, "cam1")
        response = await ask(box, "POST", "references/cam1", leave="references/cam2")
        assert response.status == 403
        assert references.asked() == frozenset()


def test_a_wish_is_taken_away_once_granted(references: References) -> None:
    references.ask("cam1")
    references.granted("cam1")
    references.granted("cam1")
    assert references.asked() == frozenset()
