"""RTP payloads to pictures: H.264 (RFC 6184) and H.265 (RFC 7798), no I/O."""

from collections.abc import Iterable
from typing import Protocol

from edge.rtsp.parameters import BadParameters, Parameters, pps_id

_PICTURE_LIMIT = 8 << 20


class Depacketiser(Protocol):
    """Collects the NAL units of one picture after the other."""

    parameters: Parameters | None
    """Those in force; None until both kinds were seen."""

    def push(self, data: bytes, begin: int, end: int) -> None:
        """Take the RTP payload that stands in `data[begin:end]`."""
        ...

    def lose(self) -> None:
        """Note that packets are missing here: the picture under way is spoilt."""
        ...

    def take(self) -> tuple[tuple[bytes, ...], bool] | None:
        """Give the picture's NAL units, and whether it is a key picture; None: no whole one.

        Parameter sets and delimiters are not among them.
        """
        ...


class _Picture:
    """What of the picture under way has come."""

    def __init__(self) -> None:
        self.nals: list[bytes] = []
        self.pieces: list[bytes] = []
        self.size = 0
        self.has_slice = False
        self.key = False
        self.spoilt = False

    def overflow(self) -> None:
        self.spoilt = True
        self.nals.clear()
        self.pieces.clear()
        self.size = 0

    def finish(self) -> tuple[tuple[bytes, ...], bool] | None:
        if self.spoilt or self.pieces or not self.has_slice:
            return None
        return tuple(self.nals), self.key


class _Sets:
    """The parameter sets seen so far."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._vps = b""
        self._sps = b""
        self._pps: dict[int, bytes] = {}

    def add(self, kind: str, nal: bytes) -> Parameters | None:
        """Give the parameters after this set when it changes them and they are whole."""
        if kind == "pps":
            number = pps_id(self._codec, nal)
            if self._pps.get(number) == nal:
                return None
            self._pps[number] = nal
        elif kind == "sps":
            if nal == self._sps:
                return None
            self._sps = nal
            self._pps.clear()  # they belong to the old one; the new ones follow
        else:
            if nal == self._vps:
                return None
            self._vps = nal
        if not (self._sps and self._pps) or (self._codec == "h265" and not self._vps):
            return None
        pps = tuple(nal for _, nal in sorted(self._pps.items()))
        whole = Parameters(self._codec, self._sps, pps, self._vps)
        _ = whole.size
        return whole


class H264Depacketiser:
    """RFC 6184 in packetization modes 0 and 1: single NAL units, STAP-A, FU-A."""

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        self.parameters: Parameters | None = None
        self._sets = _Sets("h264")
        self._picture = _Picture()
        for nal in known:
            self._add(nal)
        self._picture = _Picture()

    def push(self, data: bytes, begin: int, end: int) -> None:
        """Take the RTP payload that stands in `data[begin:end]`."""
        if begin >= end:
            return
        picture = self._picture
        picture.size += end - begin
        if picture.size > _PICTURE_LIMIT:
            picture.overflow()
        kind = data[begin] & 31
        if kind == 28:
            if end - begin < 3:
                picture.spoilt = True
                return
            header = data[begin + 1]
            pieces = picture.pieces
            if header & 0x80:
                picture.spoilt |= bool(pieces)
                pieces[:] = (bytes(((data[begin] & 0xE0) | (header & 31),)),)
            elif not pieces:
                picture.spoilt = True
                return
            pieces.append(data[begin + 2 : end])
            if header & 0x40 and pieces:
                nal = b"".join(pieces)
                pieces.clear()
                self._add(nal)
        elif kind == 24:
            for nal in _aggregated(data, begin + 1, end):
                self._add(nal)
        elif kind <= 23:
            self._add(data[begin:end])
        else:
            picture.spoilt = True  # STAP-B, MTAP and FU-B belong to mode 2

    def lose(self) -> None:
        """Note that packets are missing here: the picture under way is spoilt."""
        self._picture.pieces.clear()
        self._picture.spoilt = True

    def take(self) -> tuple[tuple[bytes, ...], bool] | None:
        """Give the picture's NAL units, and whether it is a key picture; None: no whole one."""
        whole = self._picture.finish()
        self._picture = _Picture()
        return whole

    def _add(self, nal: bytes) -> None:
        kind = nal[0] & 31
        picture = self._picture
        if kind in {7, 8}:
            self._learn("sps" if kind == 7 else "pps", nal)
        elif kind not in {9, 12}:  # delimiter, filler
            picture.nals.append(nal)
            if 1 <= kind <= 5:
                picture.has_slice = True
                picture.key |= kind == 5

    def _learn(self, kind: str, nal: bytes) -> None:
        try:
            self.parameters = self._sets.add(kind, nal) or self.parameters
        except BadParameters:
            self._picture.spoilt = True


class H265Depacketiser:
    """RFC 7798 without decoding order numbers: single NAL units, aggregation, fragments."""

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        self.parameters: Parameters | None = None
        self._sets = _Sets("h265")
        self._picture = _Picture()
        for nal in known:
            self._add(nal)
        self._picture = _Picture()

    def push(self, data: bytes, begin: int, end: int) -> None:
        """Take the RTP payload that stands in `data[begin:end]`."""
        picture = self._picture
        if end - begin < 3:
            picture.spoilt = True
            return
        picture.size += end - begin
        if picture.size > _PICTURE_LIMIT:
            picture.overflow()
        kind = (data[begin] >> 1) & 63
        if kind == 49:
            header = data[begin + 2]
            pieces = picture.pieces
            if header & 0x80:
                picture.spoilt |= bool(pieces)
                first = (data[begin] & 0x81) | ((header & 63) << 1)
                pieces[:] = (bytes((first, data[begin + 1])),)
            elif not pieces:
                picture.spoilt = True
                return
            pieces.append(data[begin + 3 : end])
            if header & 0x40 and pieces:
                nal = b"".join(pieces)
                pieces.clear()
                self._add(nal)
        elif kind == 48:
            for nal in _aggregated(data, begin + 2, end):
                self._add(nal)
        elif kind < 48:
            self._add(data[begin:end])
        else:
            picture.spoilt = True

    def lose(self) -> None:
        """Note that packets are missing here: the picture under way is spoilt."""
        self._picture.pieces.clear()
        self._picture.spoilt = True

    def take(self) -> tuple[tuple[bytes, ...], bool] | None:
        """Give the picture's NAL units, and whether it is a key picture; None: no whole one."""
        whole = self._picture.finish()
        self._picture = _Picture()
        return whole

    def _add(self, nal: bytes) -> None:
        kind = (nal[0] >> 1) & 63
        picture = self._picture
        if kind in {32, 33, 34}:
            self._learn({32: "vps", 33: "sps", 34: "pps"}[kind], nal)
        elif kind not in {35, 38}:  # delimiter, filler
            picture.nals.append(nal)
            if kind < 32:
                picture.has_slice = True
                picture.key |= 16 <= kind <= 21

    def _learn(self, kind: str, nal: bytes) -> None:
        try:
            self.parameters = self._sets.add(kind, nal) or self.parameters
        except BadParameters:
            self._picture.spoilt = True


def _aggregated(data: bytes, begin: int, end: int) -> Iterable[bytes]:
    while begin + 2 < end:
        size = data[begin] << 8 | data[begin + 1]
        begin += 2
        if size and begin + size <= end:
            yield data[begin : begin + size]
        begin += size


def depacketiser(codec: str, known: Iterable[bytes] = ()) -> Depacketiser:
    """Give a fresh one for `h264` or `h265`, with the parameter sets known beforehand."""
    return H265Depacketiser(known) if codec == "h265" else H264Depacketiser(known)
