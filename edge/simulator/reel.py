"""A reel: the loop of one stream's scene, encoded once, kept in a file, shown for ever."""

import os
from pathlib import Path

import msgspec

from edge.simulator.formats import GUARD_HEIGHT, Format
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
    pictures: tuple[tuple[bytes, ...], ...]
    """In order of decoding, the slices below the strip: guard and scene of a key frame, else the
    scene. Or one slice for the whole picture where there is no strip."""
    delays: tuple[int, ...] = ()
    """By how many frames each is shown after it is decoded; empty: none."""
    has_strip: bool = True
    """The strip is still to be put in front."""


def below_strip(
    form: Format, sets: ParameterSets, guards: list[bytes], scenes: list[bytes], gop: int
) -> tuple[tuple[bytes, ...], ...]:
    """Move the slices of guard and scene to their places in the picture."""
    syntax, above = sets.syntax, form.macroblocks(form.strip_height)
    first = form.macroblocks(form.strip_height + GUARD_HEIGHT)
    pictures: list[tuple[bytes, ...]] = []
    for index, nal in enumerate(scenes):
        header, _ = read_header(nal, syntax)
        if header.frame_num != index % gop % (1 << syntax.frame_num_bits):
            raise AssertionError(f"frame {index} has number {header.frame_num}")
        if nal_type(nal) == 5:
            guard = rewrite(guards[index // gop], syntax, first_macroblock=above, idr_pic_id=0)
            scene = rewrite(nal, syntax, first_macroblock=first, idr_pic_id=0)
            pictures.append((guard, scene))
        elif index % form.fps == 0:  # the strip comes as an intra slice there
            pictures.append((rewrite(nal, syntax, first_macroblock=first, slice_type=P_SLICE),))
        else:
            pictures.append((rewrite(nal, syntax, first_macroblock=first),))
    return tuple(pictures)


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
