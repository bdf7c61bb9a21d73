import asyncio
import ssl
from pathlib import Path

import pytest

from contract.keys import SigningKey
from contract.tls import client_context, self_signed, server_context


def made(folder: Path, name: str) -> tuple[Path, Path, str]:
    key = SigningKey.make()
    certificate = self_signed(key, name)
    key.save(folder / f"{name}.pem")
    (folder / f"{name}.crt").write_text(certificate)
    return folder / f"{name}.crt", folder / f"{name}.pem", certificate


async def said(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """Give what the client hears of a server that greets; a refused client hears nothing."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        try:
            return await reader.read()
        except (ssl.SSLError, ConnectionError):
            return b""
        finally:
            writer.close()


async def test_two_who_pinned_each_other_speak(tmp_path: Path) -> None:
    box, centre = made(tmp_path, "box"), made(tmp_path, "centre")
    server = server_context(box[0], box[1], centre[2])
    assert await said(server, client_context(centre[0], centre[1], box[2])) == b"hello"


async def test_a_client_nobody_pinned_is_refused(tmp_path: Path) -> None:
    box, centre, thief = (made(tmp_path, name) for name in ("box", "centre", "thief"))
    server = server_context(box[0], box[1], centre[2])
    assert await said(server, client_context(thief[0], thief[1], box[2])) == b""


async def test_a_client_without_a_certificate_is_refused(tmp_path: Path) -> None:
    box, centre = made(tmp_path, "box"), made(tmp_path, "centre")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(cadata=box[2])
    assert await said(server_context(box[0], box[1], centre[2]), bare) == b""


async def test_a_server_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    box, centre, thief = (made(tmp_path, name) for name in ("box", "centre", "thief"))
    server = server_context(thief[0], thief[1], centre[2])
    with pytest.raises(ssl.SSLCertVerificationError):
        await said(server, client_context(centre[0], centre[1], box[2]))


async def test_a_certificate_of_the_same_name_is_not_the_same(tmp_path: Path) -> None:
    centre = made(tmp_path, "centre")
    box = made(tmp_path, "box")
    (tmp_path / "other").mkdir()
    namesake = made(tmp_path / "other", "box")
    server = server_context(namesake[0], namesake[1], centre[2])
    with pytest.raises(ssl.SSLCertVerificationError):
        await said(server, client_context(centre[0], centre[1], box[2]))
