"""One camera's eye: access units in, votes out. It blocks: for a thread, one call at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from edge.eyes.bursts import BETWEEN_VOTES
from edge.eyes.decoding import Decoder, Picture, key_picture
from edge.eyes.voting import EXACT, Vote
from edge.feed import AccessUnit
from vision.judge import Judge


class Sight:
    """Decodes and judges; of a close look, five pictures a second."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._decoder: Decoder | None = None
        self._run = 0

    def key(self, unit: AccessUnit) -> tuple[Picture, Vote]:
        """Look at a key picture by itself. Raises PictureBroken."""
        picture = key_picture(unit)
        return picture, _vote_on(self.judge, picture)

    def begin(self) -> None:
        """Begin to look along: decoding starts anew, at a key picture."""
        self._decoder = None

    def along(
        self,
        units: Sequence[AccessUnit],
        after: datetime | None,
        every: timedelta = BETWEEN_VOTES,
    ) -> list[Vote]:
        """Look at pictures behind `after`, so far apart, as they come. Raises PictureBroken."""
        votes: list[Vote] = []

        def is_due(captured_at: datetime) -> bool:
            last = votes[-1].captured_at if votes else after
            return last is None or captured_at - last >= every

        for unit in units:
            if self._decoder is None or unit.run != self._run:
                self._decoder, self._run = Decoder(unit.codec), unit.run
            for picture in self._decoder.decode(unit, is_due):
                votes.append(_vote_on(self.judge, picture))
        return votes


def _vote_on(judge: Judge, picture: Picture) -> Vote:
    judgement = judge.judge(picture.rgb, picture.captured_at.timestamp())
    verdict = judgement.verdict
    score = 1.0 if verdict in EXACT else judgement.scores.get(verdict, 0.0)
    return Vote(
        picture.captured_at,
        verdict,
        min(1.0, max(0.0, float(score))),
        min(1.0, max(0.0, float(judgement.extent))),
    )
