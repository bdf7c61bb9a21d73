"""One simulated camera: its two streams, its faults and who is connected."""

from collections.abc import Mapping
from typing import Protocol

from edge.simulator.channel import Channel
from edge.simulator.faults import UNREACHABLE, Disturbance, Fault, FaultBook
from edge.simulator.formats import FORMATS, StreamName
from edge.simulator.numbering import camera_id, phase_ms
from edge.simulator.projector import Projector
from edge.simulator.reel import Reel
from edge.simulator.strip import StripMaker
from edge.simulator.x264 import ParameterSets

Reels = Mapping[StreamName, Reel]


class Connection(Protocol):
    """What of a transport is used to throw somebody out."""

    def abort(self) -> None:
        """Close at once."""
        ...


class Camera:
    """Answers for one id."""

    def __init__(
        self,
        number: int,
        sets: Mapping[StreamName, ParameterSets],
        strips: Mapping[StreamName, StripMaker],
        reels: Reels,
    ) -> None:
        self.id = camera_id(number)
        self.number = number
        self.faults = FaultBook()
        self.connections: set[Connection] = set()
        self._reels = reels
        self._faulty: dict[Fault, Reels] = {}
        self.channels = {
            name: Channel(
                self._projector(name, sets[name], strips[name]), form.fps, phase, self.faults
            )
            for phase in [phase_ms(number) / 1000]
            for name, form in FORMATS.items()
        }

    def _projector(self, name: StreamName, sets: ParameterSets, strips: StripMaker) -> Projector:
        def reel_of(fault: Fault | None) -> Reel:
            return self._faulty.get(fault, self._reels)[name] if fault else self._reels[name]

        return Projector(FORMATS[name], sets, strips, self.faults, reel_of)

    def begin(self, fault: Fault, reels: Reels | None = None) -> None:
        """Let a fault come about at its time; `reels` for those that show something else."""
        self.faults.add(fault)
        self._faulty = {old: shown for old, shown in self._faulty.items() if old in self.faults}
        if reels is not None:
            self._faulty[fault] = reels
        if fault.kind in UNREACHABLE:
            self.drop()
            for channel in self.channels.values():
                channel.restart()

    def heal(self) -> tuple[Fault, ...]:
        """End all faults; gives those that were there."""
        return self.faults.clear()

    def calm(self) -> tuple[Fault, ...]:
        """End all disturbances; gives those that were there."""
        return self.faults.clear(Disturbance)

    def drop(self) -> None:
        """Cut every connection."""
        for connection in list(self.connections):
            connection.abort()
        self.connections.clear()
        for channel in self.channels.values():
            channel.viewers.clear()
