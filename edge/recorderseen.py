"""What the recorder says of the cameras, believed only while it goes on saying it."""

from pathlib import Path

import msgspec

from contract.clock import Clock
from contract.messages import CameraStatus
from edge.orders import OrdersInForce

FRESH_S = 5.0
"""The recorder writes or touches it every second; an older one is of a recorder that is gone."""

_Stamp = tuple[int, int] | None


class RecorderSeen:
    """Reads the recorder's file; its age counts by the monotonic clock, which nobody sets."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._stamp = _stamp(path)  # left by an earlier run: it says nothing of now
        self._changed_at = float("-inf")

    def cameras(self, orders: OrdersInForce) -> tuple[CameraStatus, ...]:
        """Say of each camera of the orders what is seen of it: `off` when nobody says it."""
        known = {
            (camera.id, stream): CameraStatus(camera=camera.id, stream=stream, state="off")
            for camera in orders.cameras
            for stream in ("main", "sub")
        }
        known |= {(one.camera, one.stream): one for one in self._said()}
        return tuple(status for _, status in sorted(known.items()))

    def _said(self) -> tuple[CameraStatus, ...]:
        now, stamp = self._clock.monotonic(), _stamp(self._path)
        if stamp != self._stamp:
            self._stamp, self._changed_at = stamp, now
        if now - self._changed_at > FRESH_S:
            return ()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[CameraStatus, ...])
        except (OSError, msgspec.MsgspecError):
            return ()


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
