"""What every exam of the site has around it: lead-in and lead-out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contract.spans import Span

State = Literal["PLANNED", "ARMED", "RUNNING", "ENDING", "ENDED", "CANCELLED"]
"""What the clock makes of a session."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How long before an exam its window opens, and how long after it closes."""

    before: timedelta
    after: timedelta

    @classmethod
    def of(cls, before_minutes: float, after_minutes: float) -> "Lead":
        """Read it as the configuration writes it."""
        return cls(timedelta(minutes=before_minutes), timedelta(minutes=after_minutes))

    def window(self, start: datetime, end: datetime) -> Span:
        """Give the window of an exam."""
        return Span(start - self.before, end + self.after)
