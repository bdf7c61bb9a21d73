"""One uploaded file, read no further than it may be long."""

from aiohttp import BodyPartReader, MultipartReader
from aiohttp.web import Request

from web.problems import Problem

LONGEST_NAME = 200
_CHUNK = 1 << 16


async def uploaded_file(request: Request, largest: int) -> tuple[str, bytes]:
    """Give name and bytes of the part called `file`; raises Problem."""
    if request.content_type != "multipart/form-data":
        raise Problem("wrong_type", "the body must be multipart/form-data with a part `file`")
    if (request.content_length or 0) > largest + _CHUNK:
        raise Problem("too_large", f"at most {largest} bytes")
    try:
        return await _file(await request.multipart(), largest)
    except (ValueError, AssertionError) as error:  # the parser says broken framing so
        raise Problem("bad_request", "the multipart body is broken") from error


async def _file(parts: MultipartReader, largest: int) -> tuple[str, bytes]:
    while (part := await parts.next()) is not None:
        if isinstance(part, BodyPartReader) and part.name == "file" and part.filename:
            return part.filename[-LONGEST_NAME:], await _bytes(part, largest)
    raise Problem("bad_request", "there is no part `file` with a file name")


async def _bytes(part: BodyPartReader, largest: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        data += chunk
        if len(data) > largest:
            raise Problem("too_large", f"at most {largest} bytes")
    return bytes(data)
