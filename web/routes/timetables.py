"""Timetable files: uploaded and compared, then applied."""

from aiohttp.web import StreamResponse

from orchestrator.access import Action
from orchestrator.capacity import Check
from orchestrator.planning import Session as Planned
from orchestrator.timetables import Staged
from web import shapes
from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, get, post, reply
from web.routes.forecast import box_forecast
from web.routes.sessions import courses_of
from web.upload import uploaded_file

LARGEST_FILE = 20 * 1024 * 1024


async def upload(call: Call) -> StreamResponse:
    """Read a file and show what it says and would change; nothing is changed."""
    name, data = await uploaded_file(call.request, LARGEST_FILE)
    staged = await call.centre.timetables.stage(data, name, call.person, call.source)
    location = f"{BASE}/timetables/{staged.id}"
    return reply(_staged(staged), 201, {"Location": location})


async def show(call: Call, _: Nothing) -> shapes.StagedTimetable:
    """Show an uploaded file again, compared with what stands now."""
    return _staged(await call.centre.timetables.get(call.id()))


async def apply(call: Call, asked: shapes.Apply) -> shapes.Applied:
    """Make the sessions those of the file."""
    done = await call.centre.timetables.apply(
        call.id(), call.person, asked.reason, call.source, override=asked.override
    )
    return shapes.Applied(added=done.added, removed=done.removed, changed=done.changed)


def _staged(staged: Staged) -> shapes.StagedTimetable:
    def planned(session: Planned) -> shapes.PlannedSession:
        return shapes.PlannedSession(
            id=session.id,
            room=session.room,
            room_name=staged.room_names.get(session.room, session.room),
            campus=session.campus,
            category=session.category,
            start=session.start,
            end=session.end,
            courses=courses_of(session),
            headcount=session.headcount,
            invigilators=session.invigilators,
        )

    difference = staged.diff
    return shapes.StagedTimetable(
        id=staged.id,
        rows=tuple(
            shapes.Row(
                sheet=row.sheet,
                row=row.row,
                verdict=row.verdict,
                code=row.code,
                message_zh=row.message_zh,
                message_en=row.message_en,
            )
            for row in staged.rows
        ),
        diff=shapes.Difference(
            added=tuple(map(planned, difference.added)),
            removed=tuple(map(planned, difference.removed)),
            changed=tuple(
                shapes.Change(before=planned(change.before), after=planned(change.after))
                for change in difference.changed
            ),
            unchanged=len(difference.unchanged),
        ),
        columns=staged.columns,
        capacity=None if staged.capacity is None else _capacity(staged.capacity),
    )


def _capacity(check: Check) -> shapes.TimetableCapacity:
    return shapes.TimetableCapacity(
        fits=check.worst is None,
        edge=None if check.worst is None else check.worst.edge,
        boxes=tuple(map(box_forecast, check.boxes)),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path=f"{BASE}/timetables",
        handle=upload,
        needs=Action.import_timetable,
        summary="Upload a timetable (.xlsx, .csv): rows with verdicts, and what it would change",
        status=201,
        takes_type="multipart/form-data",
        gives=shapes.StagedTimetable,
        located=True,
        errors=("bad_request", "too_large", "unreadable_file", "wrong_type"),
    ),
    get(
        "/timetables/{id}",
        show,
        query=Nothing,
        gives=shapes.StagedTimetable,
        needs=Action.import_timetable,
        summary="An uploaded timetable, compared with what stands now",
    ),
    post(
        "/timetables/{id}/apply",
        apply,
        takes=shapes.Apply,
        gives=shapes.Applied,
        needs=Action.import_timetable,
        summary="Apply an uploaded timetable, all or nothing",
        errors=("does_not_fit", "reason_required", "running_session"),
    ),
)
