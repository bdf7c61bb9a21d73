"""The initialisation section of a segment (ISO/IEC 14496-12, -15)."""

import struct

from contract.fmp4 import TIMESCALE
from edge.rtsp.bits import without_emulation
from edge.rtsp.parameters import Parameters

_MATRIX = struct.pack("!9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4  # "und", five bits a letter


def box(name: bytes, *parts: bytes) -> bytes:
    """Write a box."""
    body = b"".join(parts)
    return struct.pack("!I4s", len(body) + 8, name) + body


def full_box(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Write a box with version and flags."""
    return box(name, struct.pack("!I", version << 24 | flags), *parts)


def init_section(parameters: Parameters) -> bytes:
    """Write `ftyp` and `moov` of a fragmented file with one video track, number 1."""
    size = parameters.size
    track = box(
        b"trak",
        full_box(
            b"tkhd",
            0,
            3,
            struct.pack("!5I", 0, 0, 1, 0, 0),
            bytes(16),
            _MATRIX,
            struct.pack("!II", size.width << 16, size.height << 16),
        ),
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack("!4IHH", 0, 0, TIMESCALE, 0, _UNDETERMINED, 0)),
            full_box(b"hdlr", 0, 0, struct.pack("!I4s", 0, b"vide"), bytes(12), b"camera\0"),
            box(
                b"minf",
                full_box(b"vmhd", 0, 1, bytes(8)),
                box(b"dinf", full_box(b"dref", 0, 0, _ONE, full_box(b"url ", 0, 1))),
                box(
                    b"stbl",
                    full_box(b"stsd", 0, 0, _ONE, _sample_entry(parameters)),
                    full_box(b"stts", 0, 0, bytes(4)),
                    full_box(b"stsc", 0, 0, bytes(4)),
                    full_box(b"stsz", 0, 0, bytes(8)),
                    full_box(b"stco", 0, 0, bytes(4)),
                ),
            ),
        ),
    )
    header = full_box(
        b"mvhd",
        0,
        0,
        struct.pack("!4I", 0, 0, TIMESCALE, 0),
        struct.pack("!IH10x", 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack("!I", 2),
    )
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack("!5I", 1, 1, 0, 0, 0)))
    brands = struct.pack("!4sI4s4s4s", b"iso6", 512, b"iso6", b"iso5", b"mp41")
    return box(b"ftyp", brands) + box(b"moov", header, track, extends)


_ONE = struct.pack("!I", 1)


def _sample_entry(parameters: Parameters) -> bytes:
    size = parameters.size
    name, configuration = (
        (b"hvc1", _hevc_configuration(parameters))
        if parameters.codec == "h265"
        else (b"avc1", _avc_configuration(parameters))
    )
    return box(
        name,
        struct.pack("!6xH16xHH", 1, size.width, size.height),
        struct.pack("!IIIH32xHh", 0x480000, 0x480000, 0, 1, 24, -1),
        configuration,
    )


def _avc_configuration(parameters: Parameters) -> bytes:
    sps = parameters.sps
    body = [bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE1)), _sized(sps)]
    body += [bytes((len(parameters.pps),)), *map(_sized, parameters.pps)]
    return box(b"avcC", *body)


def _hevc_configuration(parameters: Parameters) -> bytes:
    # The general profile, tier and level stand byte-aligned behind header and id byte of the SPS.
    profile = without_emulation(parameters.sps[:40])[3:15]
    arrays = ((32, (parameters.vps,)), (33, (parameters.sps,)), (34, parameters.pps))
    # Lengths of four bytes; chroma 4:2:0 and 8 bits, as every camera sends; the SPS is what counts.
    body = [bytes((1,)), profile, struct.pack("!HBBBBHB", 0xF000, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0x0F)]
    body.append(bytes((len(arrays),)))
    for kind, nals in arrays:
        body.append(struct.pack("!BH", 0x80 | kind, len(nals)))
        body += map(_sized, nals)
    return box(b"hvcC", *body)


def _sized(nal: bytes) -> bytes:
    return struct.pack("!H", len(nal)) + nal
