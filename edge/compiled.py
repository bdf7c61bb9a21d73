"""The recorder's innermost modules as machine code: the same source, compiled by mypyc.

Where nothing is compiled they run as they are, and recording costs more CPU: nothing else differs.
`python -m edge.compiled` puts an extension module beside each source; Python then takes that one.
"""

import argparse
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

MODULES = (
    "contract.fmp4",
    "contract.merkle",
    "edge.recording.arming",
    "edge.recording.coverage",
    "edge.recording.fragments",
    "edge.recording.gop",
    "edge.recording.recorder",
    "edge.recording.segment",
    "edge.rtsp.depacketise",
    "edge.rtsp.intake",
    "edge.rtsp.lengths",
    "edge.rtsp.player",
    "edge.rtsp.timeline",
)
"""What every byte of a camera goes through, and nothing that waits for anybody."""
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
"""What replaces a source's `.py` in the name of what became of it."""
GROUP = "xunkao_recorder"
"""What the file is called that all of them share."""
_ROOT = Path(__file__).parent.parent


def is_compiled() -> bool:
    """Say whether this process would run machine code."""
    found = importlib.util.find_spec(MODULES[-1])
    return found is not None and (found.origin or "").endswith(SUFFIX)


def sources(root: Path = _ROOT) -> list[Path]:
    """Give the files that are compiled."""
    return [root.joinpath(*module.split(".")).with_suffix(".py") for module in MODULES]


def is_outdated(root: Path = _ROOT) -> bool:
    """Say whether a source is newer than what became of it: then something else runs."""
    made = [(source, source.with_suffix(SUFFIX)) for source in sources(root)]
    return any(
        file.exists() and file.stat().st_mtime < source.stat().st_mtime for source, file in made
    )


def build(work: Path) -> None:
    """Compile, with what the compiler keeps in `work`; raises what setuptools raises."""
    from setuptools import Distribution

    # mypyc wants setuptools to be there first.
    from mypyc.build import mypycify  # isort: skip

    os.chdir(_ROOT)
    files = [str(source.relative_to(_ROOT)) for source in sources()]
    extensions = mypycify(files, target_dir=str(work), group_name=GROUP)
    command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    command.inplace = command.force = True
    command.build_temp = command.build_lib = str(work)
    command.ensure_finalized()
    command.run()
    for source in sources():  # what is copied into place has the age of what it was copied from
        os.utime(source.with_suffix(SUFFIX))


def _lacking() -> str:
    """Name what this machine lacks to compile; empty: nothing."""
    if shutil.which(os.environ.get("CC", "cc")) is None:
        return "there is no C compiler (Debian: apt-get install gcc libc6-dev)"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python's headers are missing (Debian: apt-get install python3-dev)"
    return ""


def main() -> None:
    """Compile where that can be done; say what is lacking where it cannot."""
    parser = argparse.ArgumentParser(prog="python -m edge.compiled")
    parser.add_argument("work", type=Path, help="folder for what the compiler keeps")
    work: Path = parser.parse_args().work
    trouble = _lacking()
    if not trouble:
        from setuptools.errors import BaseError, CompileError, LinkError

        try:
            build(work)
        except (BaseError, CompileError, LinkError) as error:
            trouble = str(error)
    if trouble:
        print(f"xunkao: recording runs uncompiled and costs more CPU: {trouble}", file=sys.stderr)


if __name__ == "__main__":
    main()
