"""The built pages."""

import gzip
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from web.headers import ALWAYS, protect
from web.pages import Pages
from web.problems import Problem, respond

Client = TestClient[Request, Application]


def _client(folder: Path) -> Client:
    app = Application()
    protect(app)
    pages = Pages(folder)

    async def answer(request: Request):  # type: ignore[no-untyped-def]  # as the router takes it
        try:
            return await pages.answer(request)
        except Problem as problem:
            return respond(problem)

    app.router.add_route("*", "/{page:.*}", answer)
    return TestClient(TestServer(app))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>巡考</title>")
    (folder / "assets" / "wall-3f2a.js").write_text("1;" * 100)
    (folder / "assets" / "wall-3f2a.js.gz").write_bytes(gzip.compress(b"1;" * 100))
    (folder / "phone").mkdir()
    (folder / "phone" / "index.html").write_text("<!doctype html><title>值班</title>")
    (folder / "phone" / "sw.js").write_text("self.addEventListener('fetch', () => {})")
    (folder / "phone" / "manifest.webmanifest").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def test_an_asset_with_its_hash_in_the_name_is_kept_for_ever(built: Path) -> None:
    async with _client(built) as client:
        answer = await client.get("/assets/wall-3f2a.js")
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.text() == "1;" * 100


@pytest.mark.parametrize("path", ["/", "/wall", "/timetables/abc", "/index.html"])
async def test_the_pages_own_addresses_lead_to_the_index_which_is_asked_for_anew(
    built: Path, path: str
) -> None:
    async with _client(built) as client:
        answer = await client.get(path)
        assert "巡考" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/phone/", "/phone/index.html", "/phone/alerts"])
async def test_the_phones_page_has_an_index_of_its_own(built: Path, path: str) -> None:
    async with _client(built) as client:
        answer = await client.get(path)
        assert "值班" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_the_phones_page_is_led_into_the_folder_its_worker_rules(built: Path) -> None:
    async with _client(built) as client:
        answer = await client.get("/phone", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (308, "/phone/")
        assert "值班" not in await (await client.get("/phones")).text()


async def test_the_phones_worker_is_asked_for_anew_and_may_not_rule_more(built: Path) -> None:
    async with _client(built) as client:
        worker = await client.get("/phone/sw.js")
        assert worker.headers["Cache-Control"] == "no-cache"
        assert "javascript" in worker.content_type
        assert "Service-Worker-Allowed" not in worker.headers
        manifest = await client.get("/phone/manifest.webmanifest")
        assert manifest.content_type == "application/manifest+json"
        assert (await client.get("/phone/gone.js")).status == 404


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/assets/gone.js", "/favicon.ico", "/%00", f"/{'a' * 5000}"]
)
async def test_what_is_not_there_is_not_the_index(built: Path, path: str) -> None:
    async with _client(built) as client:
        assert (await client.get(path)).status == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"]
)
async def test_nothing_outside_the_folder_is_served(built: Path, path: str) -> None:
    async with _client(built) as client:
        answer = await client.get(path)
        assert "secret" not in await answer.text()


async def test_without_a_build_the_page_says_what_to_run(tmp_path: Path) -> None:
    async with _client(tmp_path / "nothing") as client:
        text = await (await client.get("/wall")).text()
        assert text.count("make web") == 2
        assert "页面尚未构建" in text


async def test_every_answer_carries_the_security_headers(built: Path) -> None:
    async with _client(built) as client:
        for path in ("/", "/assets/wall-3f2a.js", "/api/v1/nothing"):
            answer = await client.get(path)
            assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
            assert answer.headers["Server"] == "Xunkao"


async def test_an_answer_that_does_not_say_otherwise_is_not_stored(built: Path) -> None:
    async with _client(built) as client:
        assert (await client.get("/api/v1/x")).headers["Cache-Control"] == "no-store"
