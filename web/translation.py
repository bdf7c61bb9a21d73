"""What the services refuse, as problems."""

import math

from orchestrator.accounts import AccountRefused, LoginRefused
from orchestrator.alerts.desk import AlertRefused
from orchestrator.boxes import BoxUnreachable
from orchestrator.capacity import DoesNotFit
from orchestrator.enrolment import EnrolRefused
from orchestrator.evidence.plan import EvidenceRefused
from orchestrator.guestbook import BrokerRefused
from orchestrator.holds import HoldRefused
from orchestrator.looks import LookRefused
from orchestrator.outages import OutageRefused
from orchestrator.recordings import PlaybackRefused
from orchestrator.references import ReferenceRefused
from orchestrator.retention import RetentionRefused
from orchestrator.sessions import NoSuchSession
from orchestrator.site import SiteRefused
from orchestrator.store import StoreAway
from orchestrator.timetable.book import Unreadable
from orchestrator.timetables import NoSuchTimetable, ReasonRequired, RunningSession
from web.problems import CODES, Problem

_ALIASES = {"no_such_user": "no_such", "no_such_room": "no_such", "exists": "conflict"}


def problem_of(error: Exception) -> Problem | None:
    """Give the problem that tells a refusal; None for what no service promised to raise."""
    match error:
        case Problem():
            return error
        case LoginRefused():
            seconds = math.ceil(error.retry_after.total_seconds())
            return Problem(error.code, retry_after_s=seconds)
        case AccountRefused() | EnrolRefused() | SiteRefused() | LookRefused() | PlaybackRefused():
            return Problem(known(error.code), str(error))
        case (
            AlertRefused()
            | ReferenceRefused()
            | HoldRefused()
            | OutageRefused()
            | RetentionRefused()
            | EvidenceRefused()
        ):
            return Problem(known(error.code), str(error))
        case Unreadable():
            code = "too_large" if error.code == "too_large" else "unreadable_file"
            return Problem(code, f"{error.zh} / {error.en}")
        case RunningSession() | ReasonRequired():
            return Problem(error.code, str(error))
        case DoesNotFit():
            return Problem(
                error.code,
                str(error),
                more={
                    "edge": error.edge,
                    "day": error.day.isoformat(),
                    "shortfall_bytes": error.shortfall_bytes,
                },
            )
        case NoSuchSession() | NoSuchTimetable():
            return Problem("no_such", str(error))
        case StoreAway():
            return Problem("not_ready", "the database is away", retry_after_s=5)
        case BrokerRefused():
            return Problem("not_ready", f"the broker takes no log-in: {error}", retry_after_s=60)
        case BoxUnreachable():
            return Problem("box_unreachable", str(error))
    return None


def known(code: str) -> str:
    """Give a code that an answer may carry."""
    code = _ALIASES.get(code, code)
    return code if code in CODES else "refused"
