"""What the application carries, by typed keys."""

from aiohttp.web import AppKey

from orchestrator.centre import Centre
from orchestrator.coverage import Coverage
from orchestrator.overview import Overview
from web.gate import Gatekeeper
from web.metrics import Metrics
from web.pace import Pace
from web.shares import Shares
from web.sockets import Sockets

CENTRE = AppKey("centre", Centre)
GATE = AppKey("gate", Gatekeeper)
METRICS = AppKey("metrics", Metrics)
SOCKETS = AppKey("sockets", Sockets)
PLAYBACKS = AppKey("playbacks", Shares)
PACE = AppKey("pace", Pace)
OVERVIEW = AppKey("overview", Overview)
COVERAGE = AppKey("coverage", Coverage)
DOCUMENT = AppKey("document", bytes)
"""The OpenAPI document, JSON."""
