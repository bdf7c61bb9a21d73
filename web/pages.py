"""The built pages: hashed assets are kept for ever, the index is asked for anew."""

from pathlib import Path

from aiohttp.web import FileResponse, Request, Response, StreamResponse

from web.problems import Problem

STATIC = Path(__file__).parent / "static"
"""Where the pages are built to."""

_API = ("/api/", "/events", "/mqtt", "/healthz", "/readyz", "/metrics")

_PHONE = "/phone/"
"""Where the duty phones' page lives: a page of its own, with its own service worker."""

_MISSING = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>巡考 Xunkao</title>
<h1>页面尚未构建</h1>
<p>服务正在运行,但网页还没有构建。请在安装目录运行 <code>make web</code>,然后刷新本页。</p>
<h1 lang="en">The pages are not built</h1>
<p lang="en">The server runs, but its pages were not built yet. Run <code>make web</code> in the
folder of the installation, then reload this page.</p>
</html>
"""


class Pages:
    """Serves one folder of built pages: the console, and the phones' page under /phone/."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()

    async def answer(self, request: Request) -> StreamResponse:
        """Give the file, or the index for an address of the page's own."""
        path = request.path
        if request.method not in ("GET", "HEAD"):
            raise Problem("method_not_allowed" if not path.startswith(_API) else "no_such")
        if path.startswith(_API):
            raise Problem("no_such")
        if path == _PHONE.rstrip("/"):
            # its service worker rules the folder alone
            return Response(status=308, headers={"Location": _PHONE})
        file = self._file(path)
        if file is not None and file.name != "index.html":
            return FileResponse(file, headers={"Cache-Control": caching(path)})
        if file is None and _is_file_name(path):
            raise Problem("no_such")
        home = self._folder / "phone" if path.startswith(_PHONE) else self._folder
        index = home / "index.html"
        if not index.is_file():
            return Response(
                text=_MISSING, content_type="text/html", headers={"Cache-Control": "no-store"}
            )
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    def _file(self, path: str) -> Path | None:
        try:
            file = (self._folder / path.lstrip("/")).resolve()
            is_there = file.is_file()
        except (OSError, ValueError) as error:  # too long for any name, or with a NUL
            raise Problem("no_such") from error
        return file if is_there and file.is_relative_to(self._folder) else None


def caching(path: str) -> str:
    """Give the Cache-Control of a file: names under /assets/ carry a hash of what is in them."""
    return "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"


def _is_file_name(path: str) -> bool:
    return "." in path.rsplit("/", 1)[-1]
