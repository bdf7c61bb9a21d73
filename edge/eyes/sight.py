"""One camera's eye: access units in, looks out. It blocks: for a thread, one call at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from edge.eyes.bursts import BETWEEN_LOOKS
from edge.eyes.decoding import Decoder, Picture, key_picture
from edge.eyes.voting import EXACT, Look
from edge.feed import AccessUnit
from vision.judge import Judge


class Sight:
    """Decodes and judges; of a close look, five pictures a second."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._decoder: Decoder | None = None
        self._run = 0

    def key(self, unit: AccessUnit) -> tuple[Picture, Look]:
        """Look at a key picture by itself. Raises PictureBroken."""
        picture = key_picture(unit)
        return picture, _look(self.judge, picture)

    def begin(self) -> None:
        """Begin to look along: decoding starts anew, at a key picture."""
        self._decoder = None

    def along(
        self,
        units: Sequence[AccessUnit],
        after: datetime | None,
        every: timedelta = BETWEEN_LOOKS,
    ) -> list[Look]:
        """Look at pictures behind `after`, so far apart, as they come. Raises PictureBroken."""
        looks: list[Look] = []

        def is_due(captured_at: datetime) -> bool:
            last = looks[-1].captured_at if looks else after
            return last is None or captured_at - last >= every

        for unit in units:
            if self._decoder is None or unit.run != self._run:
                self._decoder, self._run = Decoder(unit.codec), unit.run
            for picture in self._decoder.decode(unit, is_due):
                looks.append(_look(self.judge, picture))
        return looks


def _look(judge: Judge, picture: Picture) -> Look:
    judgement = judge.judge(picture.rgb, picture.captured_at.timestamp())
    verdict = judgement.verdict
    score = 1.0 if verdict in EXACT else judgement.scores.get(verdict, 0.0)
    return Look(
        picture.captured_at,
        verdict,
        min(1.0, max(0.0, float(score))),
        min(1.0, max(0.0, float(judgement.extent))),
    )
