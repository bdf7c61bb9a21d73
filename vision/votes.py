"""Four of five: when single verdicts become one that is believed."""

from collections import Counter, deque

OF, ENOUGH = 5, 4


class Votes:
    """The last verdicts on one camera, and what was voted."""

    def __init__(self) -> None:
        self.voted = "clear"
        self._last: deque[str] = deque(maxlen=OF)

    def add(self, verdict: str) -> str:
        """Take a vote; give what holds now: four against it are needed to change it."""
        self._last.append(verdict)
        wrong = [said for said in self._last if said != "clear"]
        if len(self._last) - len(wrong) >= ENOUGH:
            self.voted = "clear"
        elif len(wrong) >= ENOUGH:
            commonest, count = Counter(reversed(wrong)).most_common(1)[0]
            if self.voted == "clear" or count >= ENOUGH:
                self.voted = commonest
        return self.voted
