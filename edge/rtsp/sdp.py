"""What a camera says of itself in its session description (RFC 8866): the video we can take."""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

_CODECS = {"H264": "h264", "H265": "h265", "HEVC": "h265"}


class NoVideo(Exception):
    """The description offers no video of a codec we take."""


@dataclass(frozen=True, slots=True)
class Video:
    """The video track of a camera's stream."""

    codec: str
    payload_type: int
    control: str
    """Absolute URL for SETUP."""
    session_control: str
    """Absolute URL for PLAY."""
    parameter_sets: tuple[bytes, ...]
    """NAL units the description carries; may be none."""


@dataclass(slots=True)
class _Section:
    kind: str = ""
    formats: tuple[str, ...] = ()
    control: str = ""
    maps: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


def video_of(text: str, base: str) -> Video:
    """Find the video track; `base` is the Content-Base or the URL asked for. Raises NoVideo."""
    session, *media = _sections(text)
    offered = []
    for section in media:
        if section.kind != "video":
            continue
        for number in section.formats:
            name = section.maps.get(number, "").split("/")[0].upper()
            offered.append(name or number)
            if name in _CODECS:
                return Video(
                    codec=_CODECS[name],
                    payload_type=int(number),
                    control=_resolve(base, section.control),
                    session_control=_resolve(base, session.control),
                    parameter_sets=_parameter_sets(section.options.get(number, "")),
                )
    raise NoVideo(f"offers {', '.join(offered)} only" if offered else "offers no video")


def _sections(text: str) -> list[_Section]:
    sections = [_Section()]
    for raw in text.splitlines():
        kind, _, value = raw.strip().partition("=")
        if kind == "m":
            words = value.split()
            sections.append(_Section(words[0] if words else "", tuple(words[3:])))
        elif kind == "a":
            _attribute(sections[-1], value)
    return sections


def _attribute(section: _Section, value: str) -> None:
    name, _, rest = value.partition(":")
    if name == "control":
        section.control = rest.strip()
    elif name in {"rtpmap", "fmtp"}:
        number, _, words = rest.strip().partition(" ")
        where = section.maps if name == "rtpmap" else section.options
        where[number] = words.strip()


def _resolve(base: str, control: str) -> str:
    if control in {"", "*"}:
        return base
    if urlsplit(control).scheme:
        return control
    # Cameras mean "append", RFC 3986 means "replace the last part": a trailing slash agrees both.
    return urljoin(base if base.endswith("/") else base + "/", control)


def _parameter_sets(options: str) -> tuple[bytes, ...]:
    sets: list[bytes] = []
    pairs = dict(_pair(word) for word in options.split(";"))
    for name in ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"):
        for text in pairs.get(name, "").split(","):
            try:
                nal = base64.b64decode(text.strip())
            except binascii.Error:
                continue
            if nal:
                sets.append(nal)
    return tuple(sets)


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.strip().partition("=")
    return name.lower(), value
