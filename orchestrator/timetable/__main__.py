"""Reads one file in a process of its own: a job on standard input, the outcome on standard output.

Whatever a hostile file does to memory or processor ends here.
"""

import resource
import sys

import msgspec

from orchestrator.timetable.book import Unreadable
from orchestrator.timetable.interpret import interpret
from orchestrator.timetable.job import Failure, Job, Outcome
from orchestrator.timetable.reading import read
from orchestrator.timetable.rooms import Rooms
from orchestrator.timetable.term import read_term, zoned

_TOO_LARGE = Failure(
    code="too_large",
    zh="文件展开后过大，无法读取",
    en="the file is too large once unpacked",
)


def outcome_of(job: Job) -> Outcome:
    """Do the job; whatever is wrong with the file is said in the outcome."""
    try:
        term = read_term(job.term) if job.term else zoned(job.timezone)
        rooms = None if job.rooms is None else Rooms(job.rooms)
        return interpret(read(job.data, job.name), term, rooms, job.now)
    except Unreadable as error:
        return Failure(code=error.code, zh=error.zh, en=error.en)
    except MemoryError:
        return _TOO_LARGE


def main() -> None:
    """Do one job and end."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (job.cpu_seconds, job.cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcome_of(job)))


if __name__ == "__main__":
    main()
