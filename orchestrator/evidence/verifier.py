#!/usr/bin/env python3
"""Check an evidence package of Xunkao: offline, with nothing but Python 3.8 or newer.

    python3 verify.py PACKAGE.zip [--key KEY]

KEY is the site's evidence key: the text that `xunkao evidence key` prints (base64 or hex), or a
file that holds it. Ends with 0: intact and genuine; 1: changed; 2: unreadable; 3: intact, but
without a key nobody can say who made it. The format is described in docs/reference/evidence.md.

校验巡考证据包：离线运行，只需 Python 3.8 及以上。退出码 0 完整且来源真实，1 已被改动，
2 无法读取，3 完整但未提供公钥、来源未经证明。
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import struct
import sys
import zlib
from datetime import datetime
from typing import Any, BinaryIO, Iterator, NamedTuple, Sequence

FORMAT = "xunkao-evidence/1"
MANIFEST = "manifest.json"
SIGNATURE = "signature.json"
BLOCKS = "proof/blocks.bin"
SIGNED_FOR = b"xunkao evidence v1\n"
"""Stands before what the evidence key signs, so that its signature fits nothing else."""
BLOCK = 4096
"""Bytes for which a checksum of their own is kept, to say where a file was changed."""
GENUINE, CHANGED, UNREADABLE, UNPROVED = 0, 1, 2, 3
_CHUNK = 1 << 20


class Unreadable(Exception):
    """The file is no evidence package, or so damaged that nothing can be said of it."""


class Finding(NamedTuple):
    """One thing that is not as it was made."""

    file: str
    """A file in the package, or `(zip)` for what lies between the files."""
    offset: int | None
    """From the file's beginning; for `(zip)` from the package's."""
    what: str

    def __str__(self) -> str:
        where = "" if self.offset is None else f" at offset {self.offset}"
        return f"{self.file}{where}: {self.what}"


class Report(NamedTuple):
    """What the check found."""

    code: int
    findings: list[Finding]
    manifest: dict[str, Any]
    kid: str
    notes: list[str]


# ---------------------------------------------------------------- Ed25519 (RFC 8032, section 5.1)

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)


def _add(p: Any, q: Any) -> Any:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Any) -> Any:
    result: Any = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _x_of(y: int, odd: int) -> int | None:
    squared = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if squared == 0:
        return None if odd else 0
    x = pow(squared, (_P + 3) // 8, _P)
    if (x * x - squared) % _P:
        x = x * _ROOT % _P
    if (x * x - squared) % _P:
        return None
    return _P - x if x & 1 != odd else x


def _point(data: bytes) -> Any:
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    x = _x_of(y, odd) if y < _P else None
    return None if x is None else (x, y, 1, x * y % _P)


def _bytes(point: Any) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    number: int = y | (x & 1) << 255
    return number.to_bytes(32, "little")


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0)
_BASE = (_BASE_X, _BASE_Y, 1, (_BASE_X or 0) * _BASE_Y % _P)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether `signature` over `message` is the Ed25519 signature of `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key = _point(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % _L
    minus_key = (_P - key[0], key[1], key[2], _P - key[3])
    return _bytes(_add(_times(s, _BASE), _times(k, minus_key))) == signature[:32]


def kid_of(public: bytes) -> str:
    """Name a key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def read_key(text: str) -> bytes:
    """Read a public key: base64, hex, PEM, or a file that holds one; raises ValueError."""
    if os.path.isfile(text):
        with open(text, encoding="ascii") as file:
            text = file.read()
    lines = [line.strip() for line in text.strip().splitlines()]
    plain = "".join(line for line in lines if not line.startswith("-----"))
    try:
        raw = bytes.fromhex(plain) if len(plain) == 64 else base64.b64decode(plain, validate=True)
    except ValueError:
        raw = b""
    if len(raw) == 44 and raw.startswith(bytes.fromhex("302a300506032b6570032100")):
        raw = raw[12:]
    if len(raw) != 32:
        raise ValueError("not an Ed25519 public key (base64, hex or PEM)")
    return raw


# ---------------------------------------------------------------- the zip, byte by byte


class Entry(NamedTuple):
    """A file in the package; always stored, never packed."""

    name: str
    size: int
    crc: int


def local_header(entry: Entry) -> bytes:
    """Write what stands before a file's bytes. Its length depends on the name alone."""
    name = entry.name.encode()
    most = 0xFFFFFFFF
    head = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 45, 0x800, 0, 0, 0x21, entry.crc, most, most, len(name), 20
    )
    return head + name + struct.pack("<2H2Q", 1, 16, entry.size, entry.size)


def directory(entries: Sequence[Entry]) -> bytes:
    """Write what stands behind the last file: the directory and its end."""
    parts, at = [], 0
    for entry in entries:
        parts.append(_directory_row(entry, at))
        at += len(local_header(entry)) + entry.size
    rows = b"".join(parts)
    count, size, most = len(entries), len(rows), 0xFFFFFFFF
    if at >= most or size >= most or count >= 0xFFFF:
        end = struct.pack(
            "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, at
        ) + struct.pack("<4sIQI", b"PK\6\7", 0, at + size, 1)
        return rows + end + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, most, most, 0)
    return rows + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, at, 0)


def _directory_row(entry: Entry, at: int) -> bytes:
    name, most = entry.name.encode(), 0xFFFFFFFF
    is_large = entry.size >= most or at >= most
    extra = struct.pack("<2H3Q", 1, 24, entry.size, entry.size, at) if is_large else b""
    size, where = (most, most) if is_large else (entry.size, at)
    head = struct.pack("<4s6H3I", b"PK\1\2", 0x32D, 45, 0x800, 0, 0, 0x21, entry.crc, size, size)
    rest = struct.pack("<5H2I", len(name), len(extra), 0, 0, 0, 0o100644 << 16, where)
    return head + rest + name + extra


class _Place(NamedTuple):
    name: str
    at: int
    size: int


def _by_directory(file: BinaryIO, total: int) -> list[_Place]:
    """Read the directory at the end; raises ValueError or struct.error when it is damaged."""
    file.seek(max(0, total - 22))
    end = file.read(22)
    _, _, _, count, _, size, at, _ = struct.unpack("<4s4H2IH", end)
    if end[:4] != b"PK\5\6":
        raise ValueError("no directory")
    if at == 0xFFFFFFFF or count == 0xFFFF:
        file.seek(total - 22 - 20 - 56)
        row = struct.unpack("<4sQ2H2I4Q", file.read(56))
        count, size, at = row[7], row[8], row[9]
    if at + size > total:
        raise ValueError("no directory")
    file.seek(at)
    rows, found, here = file.read(size), [], 0
    for _ in range(count):
        fields = struct.unpack_from("<4s6H3I5H2I", rows, here)
        length, extra = fields[10], fields[11]
        name = rows[here + 46 : here + 46 + length].decode()
        stored, where = fields[8], fields[16]
        if extra:
            stored, _, where = struct.unpack_from("<3Q", rows, here + 46 + length + 4)
        found.append(_Place(name, where + 30 + length + 20, stored))
        here += 46 + length + extra
    if any(fields.at + fields.size > total for fields in found):
        raise ValueError("no directory")
    return found


def _from_the_front(file: BinaryIO, total: int) -> list[_Place]:
    """Go from file to file as far as their headers lead."""
    found: list[_Place] = []
    at = 0
    while True:
        file.seek(at)
        head = file.read(30)
        if len(head) < 30 or head[:4] != b"PK\3\4":
            return found
        length, extra = struct.unpack_from("<2H", head, 26)
        name, more = file.read(length), file.read(extra)
        if extra != 20 or len(more) != 20:
            return found
        size = struct.unpack_from("<Q", more, 4)[0]
        at += 30 + length + extra
        if at + size > total:
            return found
        found.append(_Place(name.decode("utf-8", "replace"), at, size))
        at += size


# ---------------------------------------------------------------- what was changed, and where


def crcs_of(data: bytes) -> bytes:
    """Give the CRC-32 of each block, four bytes a block, big-endian."""
    parts = (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
    return b"".join(struct.pack(">I", zlib.crc32(part)) for part in parts)


def canonical(value: Any) -> bytes:
    """Write JSON that is the same for the same value: keys sorted, no white space, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _step(value: int) -> int:
    return value >> 8 ^ _TABLE[value & 0xFF]


_TABLE = [zlib.crc32(bytes((n,))) ^ zlib.crc32(b"\0") for n in range(256)]


def one_byte_off(block: bytes, expected: int) -> int | None:
    """Say which single byte of a block was changed, by its CRC-32; None: it was not one."""
    syndrome = zlib.crc32(block) ^ expected
    places = []
    for error in range(1, 256):
        value = _TABLE[error]
        for back in range(len(block)):
            if value == syndrome:
                places.append(len(block) - 1 - back)
            value = _step(value)
    return places[0] if len(places) == 1 else None


def _where(block_at: int, block: bytes, expected: int) -> int:
    """Give the offset of a change, to the byte where one byte was changed, else of its block."""
    found = one_byte_off(block, expected)
    return block_at if found is None else block_at + found


def _differs_at(one: bytes, other: bytes) -> int:
    for at, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return at
    return min(len(one), len(other))


def _change_in(data: bytes, crcs: bytes) -> int:
    """Give where the data differ from those of which these are the checksums."""
    actual = crcs_of(data)
    for at in range(0, max(len(crcs), len(actual)), 4):
        if actual[at : at + 4] != crcs[at : at + 4]:
            begin = at // 4 * BLOCK
            block = data[begin : begin + BLOCK]
            if len(crcs[at : at + 4]) < 4 or not block:
                return min(begin, len(data))
            return _where(begin, block, int.from_bytes(crcs[at : at + 4], "big"))
    return 0


# ---------------------------------------------------------------- Merkle trees (RFC 6962)


def leaf(data: bytes) -> bytes:
    """Hash one part."""
    return hashlib.sha256(b"\0" + data).digest()


def root_from(count: int, known: dict[int, bytes], proof: Sequence[bytes]) -> bytes:
    """Give the root to which some of `count` leaves lead, with the subtrees that are not there.

    `proof` holds the roots of the largest subtrees without a known leaf, from left to right.
    Raises ValueError when it is too short or too long.
    """
    rest = list(reversed(proof))

    def climb(low: int, high: int, inside: list[int]) -> bytes:
        if not inside:
            if not rest:
                raise ValueError("the proof is too short")
            return rest.pop()
        if high - low == 1:
            return known[low]
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        left = climb(low, middle, [n for n in inside if n < middle])
        right = climb(middle, high, [n for n in inside if n >= middle])
        return hashlib.sha256(b"\1" + left + right).digest()

    root = climb(0, count, sorted(known))
    if rest:
        raise ValueError("the proof is too long")
    return root


# ---------------------------------------------------------------- footage (ISO/IEC 14496-12)


class Sample(NamedTuple):
    """A picture in a footage file; times in 90 kHz from the segment's start."""

    at: int
    size: int
    decoded: int
    lasts: int
    shown: int
    is_key: bool


def samples_of(moof: bytes, at: int) -> list[Sample]:
    """Read a fragment's pictures; `at` is where it begins. Raises ValueError for none of ours."""
    if len(moof) < 88 or moof[52:56] != b"tfdt" or moof[72:76] != b"trun":
        raise ValueError("not a fragment")
    flags = int.from_bytes(moof[77:80], "big")
    columns = 4 if flags == 0xF01 else 3
    count = int.from_bytes(moof[80:84], "big")
    if flags not in (0x701, 0xF01) or len(moof) != 88 + 4 * columns * count:
        raise ValueError("not a fragment")
    decoded, here, found = int.from_bytes(moof[60:68], "big"), at + len(moof) + 8, []
    for number in range(count):
        lasts, size, kind = struct.unpack_from(">3I", moof, 88 + 4 * columns * number)
        later = struct.unpack_from(">i", moof, 100 + 16 * number)[0] if columns == 4 else 0
        found.append(Sample(here, size, decoded, lasts, decoded + later, not kind & 0x10000))
        decoded, here = decoded + lasts, here + size
    return found


def picked(samples: Sequence[Sample], begin: int, end: int) -> list[Sample]:
    """Give the pictures a file must hold to show the span: from a key picture to the last one.

    Raises ValueError when none is inside.
    """
    inside = [n for n, sample in enumerate(samples) if begin <= sample.shown < end]
    keys = [n for n, sample in enumerate(samples) if sample.is_key]
    before = [n for n in keys if samples[n].shown <= begin] or keys[:1]
    if not inside or not before:
        raise ValueError("no picture in the span")
    return list(samples[before[-1] : inside[-1] + 1])


def shown_span(chosen: Sequence[Sample], begin: int, end: int) -> tuple[int, int]:
    """Give from where to where the file shows pictures, in 90 kHz from the segment's start."""
    first = min(sample.shown for sample in chosen if begin <= sample.shown < end)
    return first, min(end, max(sample.shown + sample.lasts for sample in chosen))


def movie(init: bytes, samples: Sequence[Sample], begin: int, end: int) -> bytes:
    """Write the `moov` that shows the span alone.

    It is the original one with `mvex` left out, the sample tables filled in, the durations set
    and an edit list added; nothing else is changed.
    """
    chosen = picked(samples, begin, end)
    first, last = shown_span(chosen, begin, end)
    media = chosen[-1].decoded + chosen[-1].lasts - chosen[0].decoded
    edit = struct.pack(">2IQq2H", 1 << 24, 1, last - first, first - chosen[0].decoded, 1, 0)
    changed = {
        b"mvhd": lambda box: box[:24] + struct.pack(">I", last - first) + box[28:],
        b"tkhd": lambda box: (
            box[:28]
            + struct.pack(">I", last - first)
            + box[32:]
            + _box(b"edts", _box(b"elst", edit))
        ),
        b"mdhd": lambda box: box[:24] + struct.pack(">I", media) + box[28:],
        b"stbl": lambda box: _box(b"stbl", _child(box, b"stsd"), _tables(chosen)),
        b"mvex": lambda box: b"",
    }
    for name, at, size in _boxes(init, 0, len(init)):
        if name == b"moov":
            return _rewritten(init[at : at + size], changed)
    raise ValueError("no moov")


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at < end:
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > end:
            raise ValueError("a box is cut short")
        yield name, at, size
        at += size


def _child(box: bytes, wanted: bytes) -> bytes:
    for name, at, size in _boxes(box, 8, len(box)):
        if name == wanted:
            return box[at : at + size]
    raise ValueError(f"no {wanted!r}")


def _rewritten(box: bytes, changed: dict[bytes, Any]) -> bytes:
    parts = []
    for name, at, size in _boxes(box, 8, len(box)):
        child = box[at : at + size]
        if name in changed:
            parts.append(changed[name](child))
        elif name in (b"trak", b"mdia", b"minf"):
            parts.append(_rewritten(child, changed))
        else:
            parts.append(child)
    return _box(box[4:8], *parts)


def _tables(chosen: Sequence[Sample]) -> bytes:
    lasting = [later.decoded - one.decoded for one, later in zip(chosen, chosen[1:])]
    lasting.append(chosen[-1].lasts)
    later = [sample.shown - sample.decoded for sample in chosen]
    keys = [number for number, sample in enumerate(chosen, 1) if sample.is_key]
    parts = [
        _runs(b"stts", 0, lasting),
        _runs(b"ctts", 1, later) if any(later) else b"",
        _box(b"stss", struct.pack(f">2I{len(keys)}I", 0, len(keys), *keys)),
        # one chunk a picture: the pictures of two fragments do not touch
        _box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)),
        _box(
            b"stsz", struct.pack(f">3I{len(chosen)}I", 0, 0, len(chosen), *(s.size for s in chosen))
        ),
        _box(b"co64", struct.pack(f">2I{len(chosen)}Q", 0, len(chosen), *(s.at for s in chosen))),
    ]
    return b"".join(parts)


def _runs(name: bytes, version: int, values: Sequence[int]) -> bytes:
    runs: list[list[int]] = []
    for value in values:
        if runs and runs[-1][1] == value:
            runs[-1][0] += 1
        else:
            runs.append([1, value])
    rows = b"".join(struct.pack(">Ii", count, value) for count, value in runs)
    return _box(name, struct.pack(">2I", version << 24, len(runs)), rows)


def opening(init: bytes, payload: int) -> bytes:
    """Write what stands before the original bytes in a footage file: `ftyp`, and a `mdat`."""
    ftyp = int.from_bytes(init[:4], "big")
    return init[:ftyp] + struct.pack(">I4sQ", 1, b"mdat", payload + 16)


# ---------------------------------------------------------------- the check itself


def verify(path: str, key: bytes | None = None, tell: Any = None) -> Report:
    """Check a package; raises Unreadable. `tell` hears the name of each file as it is read."""
    try:
        with open(path, "rb") as file:
            return _Check(file, os.path.getsize(path), key, tell or (lambda name: None)).run()
    except OSError as error:
        raise Unreadable(str(error)) from error


class _Check:
    def __init__(self, file: BinaryIO, total: int, key: bytes | None, tell: Any) -> None:
        self.file = file
        self.total = total
        self.key = key
        self.tell = tell
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.kid = ""
        self.manifest: dict[str, Any] = {}
        self.raw_manifest = b""
        self.raw_signature = b""
        self.places: dict[str, _Place] = {}
        self.crcs: dict[str, bytes] = {}

    def run(self) -> Report:
        lists = self._find()
        if self._signed() and self._described():
            self._layout(lists)
            self._contents()
            if not self.findings:
                self._footage()
                self._certificates()
        code = CHANGED if self.findings else GENUINE if self.key else UNPROVED
        return Report(code, self.findings, self.manifest, self.kid, self.notes)

    def found(self, file: str, offset: int | None, what: str) -> None:
        self.findings.append(Finding(file, offset, what))

    def read(self, place: _Place) -> bytes:
        self.file.seek(place.at)
        return self.file.read(place.size)

    def _find(self) -> list[list[_Place]]:
        """Find manifest and signature, by the directory or from the front."""
        lists = []
        for way in (_by_directory, _from_the_front):
            try:
                lists.append(way(self.file, self.total))
            except (ValueError, struct.error):
                lists.append([])
        for places in lists:
            named = {place.name: place for place in places}
            if MANIFEST in named and SIGNATURE in named:
                self.places = named
                self.raw_manifest = self.read(named[MANIFEST])
                self.raw_signature = self.read(named[SIGNATURE])
                if self.raw_manifest[:1] == b"{" or places is lists[-1]:
                    return lists
        if self.raw_signature:
            return lists
        if lists[1]:
            last = lists[1][-1]
            raise Unreadable(f"it breaks off after {last.name}, at offset {last.at + last.size}")
        raise Unreadable("this is no evidence package")

    def _signed(self) -> bool:
        """Check the signature; gives whether the manifest is the one that was signed."""
        try:
            said = json.loads(self.raw_signature.decode())
            public = base64.b64decode(said["public"], validate=True)
            signature = base64.b64decode(said["sig"], validate=True)
            crcs = bytes.fromhex(said["manifest"]["crcs"])
            digest = said["manifest"]["sha256"]
        except UnicodeDecodeError as error:
            self.found(SIGNATURE, error.start, "changed")
            return False
        except json.JSONDecodeError as error:
            self.found(SIGNATURE, error.pos, "changed")
            return False
        except (KeyError, TypeError, ValueError):
            self.found(SIGNATURE, self._doubtful(None), "changed")
            return False
        self.kid = kid_of(public)
        rest = {name: value for name, value in said.items() if name != "sig"}
        is_whole = self.raw_signature == canonical(said)
        is_good = is_signed(public, signature, SIGNED_FOR + canonical(rest))
        if not (is_whole and is_good):
            if digest == hashlib.sha256(self.raw_manifest).hexdigest():
                self.found(
                    SIGNATURE, self._doubtful(said), "changed: it does not sign the manifest"
                )
            else:
                self._blame(crcs, said)
            return False
        if digest != hashlib.sha256(self.raw_manifest).hexdigest():
            self.found(MANIFEST, _change_in(self.raw_manifest, crcs), "changed")
            return False
        if self.key is not None and self.key != public:
            at = self.raw_signature.find(b'"public"')
            self.found(SIGNATURE, at, f"signed with key {self.kid}, not with {kid_of(self.key)}")
            return False
        return True

    def _blame(self, crcs: bytes, said: dict[str, Any]) -> None:
        if crcs == crcs_of(self.raw_manifest):  # the digest itself was changed
            self.found(SIGNATURE, self._doubtful(said), "changed")
        else:
            self.found(MANIFEST, _change_in(self.raw_manifest, crcs), "changed")
            self.found(SIGNATURE, None, "does not fit the key either")

    def _doubtful(self, said: dict[str, Any] | None) -> int:
        """Give where the signature's file departs from what the manifest makes of it."""
        public, sig = (said or {}).get("public", ""), (said or {}).get("sig", "")
        try:
            kid = kid_of(base64.b64decode(public))
        except (ValueError, TypeError):
            kid = ""
        body = signature_body(self.raw_manifest, kid, public)
        expected = canonical(dict(body, sig=sig)) if said else canonical(body)
        at = _differs_at(self.raw_signature, expected)
        return self.raw_signature.find(b'"sig"') if at == len(self.raw_signature) else at

    def _described(self) -> bool:
        try:
            self.manifest = json.loads(self.raw_manifest.decode())
            if self.manifest["format"] != FORMAT:
                raise Unreadable(f"made by a newer Xunkao: {self.manifest['format']}")
            for row in self.manifest["files"]:
                Entry(row["path"], int(row["size"]), int(row["crc32"]))
                bytes.fromhex(row["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            self.found(MANIFEST, None, f"is signed, but not of the form {FORMAT}: {error!r}")
            return False
        return True

    def _expected(self) -> list[Entry]:
        rows = [Entry(row["path"], row["size"], row["crc32"]) for row in self.manifest["files"]]
        for name, data in ((MANIFEST, self.raw_manifest), (SIGNATURE, self.raw_signature)):
            rows.append(Entry(name, len(data), zlib.crc32(data)))
        return rows

    def _layout(self, lists: list[list[_Place]]) -> None:
        """Compare every byte that belongs to no file with what it must be."""
        wanted = self._expected()
        at = 0
        where: dict[str, _Place] = {}
        broken: int | None = None
        for entry in wanted:
            head = local_header(entry)
            self.file.seek(at)
            actual = self.file.read(len(head))
            if actual != head and broken is None:
                broken = at + _differs_at(actual, head)
            at += len(head)
            where[entry.name] = _Place(entry.name, at, entry.size)
            at += entry.size
        tail = directory(wanted)
        self.file.seek(at)
        actual = self.file.read()
        if actual != tail and broken is None:
            broken = at + _differs_at(actual, tail)
        names = [entry.name for entry in wanted]
        if broken is None or any([place.name for place in one] == names for one in lists):
            if broken is not None:
                self.found("(zip)", broken, "changed")
            if at + len(tail) == self.total:
                self.places = where
            return
        self._name_strangers(names, max(lists, key=len), broken)

    def _name_strangers(self, names: list[str], places: list[_Place], broken: int) -> None:
        found = [place.name for place in places]
        for place in places:
            if place.name not in names or found.count(place.name) > 1:
                self.found(place.name, 0, "does not belong to the package")
        for name in names:
            if name not in found:
                self.found(name, 0, "is missing")
        if sorted(found) == sorted(names):
            first = next(one for one, other in zip(found, names) if one != other)
            self.found(first, 0, "stands in another place than it was put")
        if not self.findings:
            self.found("(zip)", broken, "changed")
        self.places = {place.name: place for place in places}

    def _contents(self) -> None:
        """Compare each file with its hash."""
        rows = [row for row in self.manifest["files"] if row["path"] in self.places]
        bad = []
        for row in rows:
            self.tell(row["path"])
            place = self.places[row["path"]]
            digest, crcs, size = hashlib.sha256(), [], 0
            self.file.seek(place.at)
            while size < place.size:
                data = self.file.read(min(_CHUNK, place.size - size))
                if not data:
                    break
                digest.update(data)
                crcs.append(crcs_of(data))
                size += len(data)
            self.crcs[row["path"]] = b"".join(crcs)
            if size != row["size"] or digest.hexdigest() != row["sha256"]:
                bad.append(row["path"])
        kept = self.read(self.places[BLOCKS]) if BLOCKS in self.places else b""
        at = 0
        for row in self.manifest["files"]:
            name, length = row["path"], -(-row["size"] // BLOCK) * 4
            if name in bad and name != BLOCKS:
                offset = self._change(name, kept[at : at + length])
                self.found(name, offset, "changed")
            at += 0 if name == BLOCKS else length
        if BLOCKS in bad:
            mine = (
                self.crcs.get(r["path"], b"") for r in self.manifest["files"] if r["path"] != BLOCKS
            )
            self.found(BLOCKS, _differs_at(kept, b"".join(mine)), "changed")

    def _change(self, name: str, expected: bytes) -> int:
        at = _differs_at(self.crcs[name], expected) // 4
        place = self.places[name]
        self.file.seek(place.at + at * BLOCK)
        block = self.file.read(max(0, min(BLOCK, place.size - at * BLOCK)))
        known = expected[at * 4 : at * 4 + 4]
        if not block or len(known) < 4:
            return min(at * BLOCK, place.size)
        return _where(at * BLOCK, block, int.from_bytes(known, "big"))

    # ------------------------------------------------------------ footage

    def _footage(self) -> None:
        """Check that the footage is what the boxes recorded and signed."""
        try:
            boxes = self._boxes()
            before: dict[str, str] = {}
            for row in self.manifest["segments"]:
                problem = self._segment(row, boxes)
                if problem:
                    self.found(row["file"], problem[0], problem[1])
                self._chain(row, before)
            self._remark_missing()
            self._remark_copies()
            self._remark_viewing()
        except (KeyError, TypeError, ValueError, IndexError, struct.error) as error:
            self.found(MANIFEST, None, f"is signed, but does not hold together: {error!r}")

    def _remark_missing(self) -> None:
        """Say of which part of the span there is no footage."""
        holes = self.manifest["what"]["missing"]
        for hole in holes[:_MOST_HOLES]:
            name = _named(self.manifest, hole["camera"])
            since, until = (_local(self.manifest, hole[end]) for end in ("from", "to"))
            self.notes.append(
                f"nothing was recorded of {name} from {since} to {until} / "
                f"{name} {since} 至 {until} 无录像"
            )
        if len(holes) > _MOST_HOLES:
            more = len(holes) - _MOST_HOLES
            self.notes.append(f"and {more} more gaps: manifest.json / 另有 {more} 处缺口，见清单")

    def _remark_copies(self) -> None:
        copied = [row for row in self.manifest["segments"] if row.get("copied")]
        for why, (english, chinese) in _WHY_COPIED.items():
            count = sum(row["copied"] == why for row in copied)
            if not count:
                continue
            self.notes.append(
                f"{count} footage files were read from the archive's copies, because {english}; "
                f"they are proved like the others / {chinese}，"
                f"{count} 个录像文件取自归档副本，其证明与其他文件相同"
            )

    def _remark_viewing(self) -> None:
        """Say of which footage there is no copy to look at: its box alone could make one."""
        made = [row["camera"] for row in self.manifest["viewing"]]
        rows = self.manifest["segments"]
        for camera in sorted({row["camera"] for row in rows}):
            ours = [row for row in rows if row["camera"] == camera]
            asked = {row["edge"] for row in ours if not row.get("copied")}
            name = _named(self.manifest, camera)
            if camera not in made:
                self.notes.append(
                    f"no viewing copy of {name}: its box alone could make one / "
                    f"{name} 没有观看副本，只有边缘盒能够制作"
                )
            elif made.count(camera) < len(asked) or any(row.get("copied") for row in ours):
                self.notes.append(
                    f"the viewing copy of {name} does not show all of it / "
                    f"{name} 的观看副本未包含全部录像"
                )

    def _boxes(self) -> dict[str, bytes]:
        """Give the boxes' keys, each vouched for by the centre."""
        centre = base64.b64decode(self.manifest["centre"]["identity"])
        keys = {}
        for row in self.manifest["boxes"]:
            vouched = row["enrolled"]
            body = vouched["body"].encode()
            if not is_signed(centre, base64.b64decode(vouched["sig"]), body):
                raise ValueError(f"nobody vouches for box {row['edge']}")
            said = json.loads(body)
            if (said["edge"], said["sign_public"]) != (row["edge"], row["sign_public"]):
                raise ValueError(f"the key of box {row['edge']} is another")
            keys[row["edge"]] = base64.b64decode(row["sign_public"])
        return keys

    def _chain(self, row: dict[str, Any], before: dict[str, str]) -> None:
        follows = before.get(row["camera"])
        before[row["camera"]] = row["root"]
        if follows is not None and row["previous"] != follows:
            self.notes.append(f"{row['file']}: a segment before it is not in this package")

    def _segment(self, row: dict[str, Any], boxes: dict[str, bytes]) -> tuple[int, str] | None:
        """Check one footage file; gives where and what is wrong."""
        signed = row["fact"]["signed"].encode()
        if not is_signed(boxes[row["edge"]], base64.b64decode(row["fact"]["sig"]), signed):
            return 0, f"box {row['edge']} did not sign this segment"
        said = json.loads(signed)
        told = said["data"]
        if said["edge"] != row["edge"] or any(
            told[name] != row[name] for name in ("segment", "camera", "start", "root", "previous")
        ):
            return 0, "the box signed another segment"
        if told["fragments"] + 1 != row["leaves"]:
            return 0, "the box counted other fragments"
        return self._file(row)

    def _file(self, row: dict[str, Any]) -> tuple[int, str] | None:
        place = self.places[row["file"]]
        self.file.seek(place.at)
        size = int.from_bytes(self.file.read(4), "big") + 16
        payload = row["init"] + sum(part[1] for part in row["fragments"])
        self.file.seek(place.at + size)
        init = self.file.read(row["init"])
        known, samples, at = {0: leaf(init)}, [], size + len(init)
        for number, (_, length, _, _) in enumerate(row["fragments"], row["first"]):
            fragment = self.file.read(length)
            moof = int.from_bytes(fragment[:4], "big")
            samples += samples_of(fragment[:moof], at)
            known[number] = leaf(fragment)
            at += length
        begin, end = row["span"]
        root = root_from(row["leaves"], known, [bytes.fromhex(one) for one in row["proof"]])
        if root.hex() != row["root"]:
            return size, "these bytes do not lead to the root that the box signed"
        self.file.seek(place.at)
        if self.file.read(size) != opening(init, payload):
            return 0, "does not begin as the original does"
        self.file.seek(place.at + at)
        if self.file.read(place.size - at) != movie(init, samples, begin, end):
            return at, "shows other pictures than those of the span"
        return None

    # ------------------------------------------------------------ certificates

    def _certificates(self) -> None:
        """Check that the coverage certificates are the centre's, with the boxes' own words."""
        for row in self.manifest["certificates"]:
            try:
                problem = self._certificate(row)
            except (KeyError, TypeError, ValueError) as error:
                problem = f"is no certificate: {error!r}"
            if problem:
                self.found(row["file"], None, problem)

    def _certificate(self, row: dict[str, Any]) -> str:
        """Check one certificate; gives what is wrong."""
        document = json.loads(self.read(self.places[row["file"]]).decode())
        signed, public = document["certificate"], base64.b64decode(document["public"])
        body = signed["body"].encode()
        if signed["kid"] != row["kid"] or kid_of(public) != row["kid"]:
            return "is signed with another key than the manifest names"
        if not is_signed(public, base64.b64decode(signed["sig"]), body):
            return "the centre did not sign this certificate"
        said = json.loads(body)
        content = said["content"]
        told = (content["session"]["id"], said["edition"], content["verdict"])
        if told != (row["session"], row["edition"], row["verdict"]):
            return "is another certificate than the manifest names"
        wanted = {}
        for camera in content["cameras"]:
            for part in camera["streams"]:
                for stated in part["statements"]:
                    wanted[stated["sha256"]] = (camera["camera"], stated["kid"])
        words = document["statements"]
        if {hashlib.sha256(word["fact"].encode()).hexdigest() for word in words} != set(wanted):
            return "does not hold the boxes' statements that the centre saw"
        for word in words:
            camera, kid = wanted[hashlib.sha256(word["fact"].encode()).hexdigest()]
            if not self._is_word(word, kid):
                return f"the statement on {camera} is not signed by its box"
        return ""

    def _is_word(self, word: dict[str, Any], kid: str) -> bool:
        public = base64.b64decode(word["public"])
        fact = json.loads(word["fact"])
        signature = base64.b64decode(fact.pop("sig"))
        return kid_of(public) == kid and is_signed(public, signature, canonical(fact))


def signature_body(manifest: bytes, kid: str, public: str) -> dict[str, Any]:
    """Give what is signed: the key and the manifest's hashes."""
    about = {
        "size": len(manifest),
        "sha256": hashlib.sha256(manifest).hexdigest(),
        "crcs": crcs_of(manifest).hex(),
    }
    return {"format": FORMAT, "kid": kid, "manifest": about, "public": public}


_SAID = {
    GENUINE: "intact and genuine / 完整，且来源真实",
    CHANGED: "CHANGED / 已被改动",
    UNPROVED: "intact, but its origin is not proved: give --key / "
    "完整，但来源未经证明：请用 --key 提供公钥",
}

_MOST_HOLES = 20
_WHY_COPIED = {
    "box_lost": ("their box was lost", "边缘盒无法联系"),
    "gone": ("their box has them no more", "边缘盒上已无原件"),
    "changed": ("what their box has is not what it sealed", "边缘盒上的原件与封存时不符"),
}
_VERDICTS = {"VERIFIED": "VERIFIED / 已核验", "INCOMPLETE": "INCOMPLETE / 不完整"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the package named on the command line; gives the exit code."""
    parser = argparse.ArgumentParser(description="Check an evidence package / 校验证据包")
    parser.add_argument("package", help="the package, a .zip file / 证据包文件")
    parser.add_argument("--key", help="the site's evidence key / 考点证据公钥")
    asked = parser.parse_args(arguments)
    return check(asked.package, asked.key)


def check(package: str, key: str | None) -> int:
    """Check a package and say what was found; gives the exit code."""
    try:
        if os.path.isdir(package):
            raise Unreadable(
                "give the .zip file as it was received, not unpacked / "
                "请指定收到的 .zip 文件，不必解压"
            )
        report = verify(package, read_key(key) if key else None)
    except (Unreadable, ValueError) as error:
        print(f"unreadable / 无法读取: {error}", file=sys.stderr)
        return UNREADABLE
    for finding in report.findings:
        print(str(finding), file=sys.stderr)
    for note in report.notes:
        print(f"note / 说明: {note}")
    if not report.findings:
        _describe(report.manifest)
    print(f"key / 公钥: {report.kid or '?'}")
    print(_SAID[report.code])
    return report.code


def _named(manifest: dict[str, Any], camera: str) -> str:
    """Name a camera by its room, where the package says in which it is."""
    room = manifest["what"].get("rooms", {}).get(camera)
    return f"{room} ({camera})" if room else str(camera)


def _local(manifest: dict[str, Any], text: str) -> str:
    """Write an instant by the clocks of the site, as far as the package says how they go."""
    what = manifest["what"]
    if "local" not in what:
        return text
    ahead = datetime.fromisoformat(what["local"]["from"]) - _naive(what["from"])
    return (_naive(text) + ahead).strftime("%Y-%m-%d %H:%M:%S")


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "")[:19])


def _describe(manifest: dict[str, Any]) -> None:
    what, who, why = manifest["what"], manifest["who"], manifest["why"]
    cameras = [_named(manifest, camera) for camera in what["cameras"]]
    print(f"cameras / 摄像机: {', '.join(cameras)}")
    span = f"{what['from']} – {what['to']}"
    if "local" in what:
        local = what["local"]
        span = f"{local['from']} – {local['to']} ({local['zone']}; {span})"
    print(f"span / 时段: {span}")
    print(f"request / 申请编号: {why['request']}    reason / 事由: {why['reason']}")
    print(f"recipient / 接收人: {who['recipient']}    exported by / 导出人: {who['exported_by']}")
    print(f"footage files / 原始录像: {len(manifest['segments'])}")
    for row in manifest["certificates"]:
        name = f"{row['session']} #{row['edition']}"
        print(f"coverage certificate / 覆盖证书: {name} {_VERDICTS[row['verdict']]}")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main())
