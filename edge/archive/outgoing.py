"""Encrypted objects on their way to the archive: footage, and kept no longer than what it is of."""

from collections.abc import Iterable

from contract.messages import SegmentClosed
from edge.config import EdgeConfig
from edge.recording.second import is_reachable


def keep_only(config: EdgeConfig, waiting: Iterable[SegmentClosed]) -> None:
    """Remove what is of no waiting segment whose footage is there, or away. Raises OSError."""
    if not config.outgoing.is_dir():
        return
    wanted = {
        one.segment
        for one in waiting
        if not is_reachable(config.data, one.path, one.volume) or (config.data / one.path).exists()
    }
    for file in config.outgoing.iterdir():
        if file.suffix in (".xka", ".new") and file.stem not in wanted:
            file.unlink(missing_ok=True)
