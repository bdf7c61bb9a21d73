"""A reel: the loop of one stream's scene, encoded once, kept in a file, shown for ever."""

import os
from pathlib import Path

import msgspec

from edge.simulator.formats import Format
from edge.simulator.slices import P_SLICE, nal_type, read_header, rewrite
from edge.simulator.x264 import ParameterSets


class ReelUnreadable(Exception):
    """The file holds no reel."""


class Reel(msgspec.Struct, frozen=True, array_like=True):
    """One slice for each frame, with what is needed to play them."""

    sps: bytes
    pps: bytes
    gop: int
    """Frames from one key frame to the next."""
    pictures: tuple[bytes, ...]
    """In order of decoding: the scene's slice, or the whole picture where there is no strip."""
    delays: tuple[int, ...] = ()
    """By how many frames each is shown after it is decoded; empty: none."""
    has_strip: bool = True
    """The strip is still to be put in front."""


def behind_strip(
    form: Format, sets: ParameterSets, coded: list[bytes], gop: int
) -> tuple[bytes, ...]:
    """Move the scene's slices below the strip."""
    syntax, first = sets.syntax, form.strip_macroblocks
    moved = []
    for index, nal in enumerate(coded):
        header, _ = read_header(nal, syntax)
        if header.frame_num != index % gop % (1 << syntax.frame_num_bits):
            raise AssertionError(f"frame {index} has number {header.frame_num}")
        if nal_type(nal) == 5:
            moved.append(rewrite(nal, syntax, first_macroblock=first, idr_pic_id=0))
        elif index % form.fps == 0:  # the strip comes as an intra slice there
            moved.append(rewrite(nal, syntax, first_macroblock=first, slice_type=P_SLICE))
        else:
            moved.append(rewrite(nal, syntax, first_macroblock=first))
    return tuple(moved)


def save(reel: Reel, path: Path) -> None:
    """Write the file beside its place, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_bytes(msgspec.msgpack.encode(reel))
    aside.replace(path)


def load(path: Path) -> Reel:
    """Read the file; raises FileNotFoundError or ReelUnreadable."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Reel)
    except msgspec.MsgspecError as error:
        raise ReelUnreadable(f"{path}: {error}") from error
