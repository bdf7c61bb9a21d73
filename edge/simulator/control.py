"""The control port: which cameras there are, making them fail, and making something happen."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from aiohttp.web import Application, Request, Response
from msgspec import Meta

from contract.clock import Clock
from edge.simulator.camera import Camera
from edge.simulator.faults import SCENE_FAULTS, UNREACHABLE, Disturbance, Fault, FaultKind
from edge.simulator.film import Job
from edge.simulator.studio import Studio

_REBOOT_S = 20.0
_PROBLEM = "application/problem+json"


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong, for how long (null: until it is ended), and how much."""

    kind: FaultKind
    seconds: Annotated[float, Meta(gt=0)] | None = None
    extent: float | None = None

    def __post_init__(self) -> None:
        """Refuse an extent that means nothing."""
        share = self.extent is not None and self.kind is not FaultKind.CLOCK_JUMP
        if share and not 0 <= (self.extent or 0) <= 1:
            raise ValueError("extent must lie between 0 and 1")


class DisturbanceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes on before the camera, for how long (null: until it is ended)."""

    kind: Disturbance
    seconds: Annotated[float, Meta(gt=0)] | None = None


class FaultShown(msgspec.Struct, frozen=True):
    """A fault or a disturbance as the control port tells it."""

    kind: str
    extent: float
    begins: datetime
    ends: datetime | None


class CameraShown(msgspec.Struct, frozen=True):
    """A camera as the control port tells it."""

    id: str
    main: str
    sub: str
    faults: list[FaultShown]
    disturbances: list[FaultShown]


class Control:
    """Answers on the control port."""

    def __init__(
        self, cameras: Mapping[str, Camera], studio: Studio, clock: Clock, rtsp_port: int
    ) -> None:
        self._cameras = cameras
        self._studio = studio
        self._clock = clock
        self._rtsp_port = rtsp_port

    def application(self) -> Application:
        """The routes."""
        application = Application()
        application.router.add_get("/cameras", self._list)
        application.router.add_post("/cameras/{camera}/faults", self._begin)
        application.router.add_delete("/cameras/{camera}/faults", self._end)
        application.router.add_post("/cameras/{camera}/disturbances", self._disturb)
        application.router.add_delete("/cameras/{camera}/disturbances", self._calm)
        return application

    async def _list(self, _: Request) -> Response:
        now = self._clock.now().timestamp()
        return _json({"items": [self._shown(camera, now) for camera in self._cameras.values()]})

    async def _begin(self, request: Request) -> Response:
        camera = self._cameras.get(request.match_info["camera"])
        if camera is None:
            return _problem(404, "no such camera")
        try:
            order = msgspec.json.decode(await request.read(), type=FaultOrder)
        except msgspec.MsgspecError as error:
            return _problem(422, str(error))
        reels = None
        extent = _extent(order)
        if order.kind in SCENE_FAULTS:
            reels = await self._studio.reels(Job(camera.number, order.kind, round(extent, 2)))
        fault = planned(order, extent, self._clock.now().timestamp())
        camera.begin(fault, reels)
        return _json(_told(fault), 201)

    async def _end(self, request: Request) -> Response:
        camera = self._cameras.get(request.match_info["camera"])
        if camera is None:
            return _problem(404, "no such camera")
        return _json({"ended": [_told(fault) for fault in camera.heal()]})

    async def _disturb(self, request: Request) -> Response:
        camera = self._cameras.get(request.match_info["camera"])
        if camera is None:
            return _problem(404, "no such camera")
        try:
            order = msgspec.json.decode(await request.read(), type=DisturbanceOrder)
        except msgspec.MsgspecError as error:
            return _problem(422, str(error))
        reels = await self._studio.reels(Job(camera.number, disturbance=order.kind))
        begins = _next_second(self._clock.now().timestamp())
        ends = None if order.seconds is None else begins + order.seconds
        disturbance = Fault(order.kind, 1.0, begins, ends)
        camera.begin(disturbance, reels)
        return _json(_told(disturbance), 201)

    async def _calm(self, request: Request) -> Response:
        camera = self._cameras.get(request.match_info["camera"])
        if camera is None:
            return _problem(404, "no such camera")
        return _json({"ended": [_told(one) for one in camera.calm()]})

    def _shown(self, camera: Camera, now: float) -> CameraShown:
        base = f"rtsp://127.0.0.1:{self._rtsp_port}/{camera.id}"
        faults: list[FaultShown] = []
        disturbances: list[FaultShown] = []
        for one in camera.faults.active(now):
            (disturbances if isinstance(one.kind, Disturbance) else faults).append(_told(one))
        return CameraShown(camera.id, f"{base}/main", f"{base}/sub", faults, disturbances)


def planned(order: FaultOrder, extent: float, now: float) -> Fault:
    """When an ordered fault begins and ends: pictures change where a second begins."""
    begins = now if order.kind in UNREACHABLE else _next_second(now)
    lasts = order.seconds
    if lasts is None and order.kind is FaultKind.REBOOT:
        lasts = _REBOOT_S
    return Fault(order.kind, extent, begins, None if lasts is None else begins + lasts)


def _next_second(now: float) -> float:
    return float(math.floor(now) + 1)


def _extent(order: FaultOrder) -> float:
    return 1.0 if order.extent is None else order.extent


def _told(fault: Fault) -> FaultShown:
    ends = None if fault.ends is None else datetime.fromtimestamp(fault.ends, UTC)
    return FaultShown(fault.kind, fault.extent, datetime.fromtimestamp(fault.begins, UTC), ends)


def _json(body: object, status: int = 200) -> Response:
    return Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _problem(status: int, detail: str) -> Response:
    title = {404: "Not Found", 422: "Unprocessable Content"}[status]
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(body=msgspec.json.encode(body), status=status, content_type=_PROBLEM)
