"""What a box said of a recording that is gone."""

from datetime import datetime
from typing import Any

from sqlalchemy import Insert, insert

from orchestrator.store.tables import deletions


def gone(edge: str, segment: str, camera: str, start: datetime, end: datetime) -> Insert:
    """Make the record of a deletion, which was at the end of its term, for a store."""
    values: dict[str, Any] = {
        "edge": edge,
        "segment": segment,
        "deleted_at": end,
        "camera": camera,
        "starts_at": start,
        "ends_at": end,
        "path": "x",
        "bytes": 1,
        "root": "",
        "retain_until": end,
        "late_s": 0.0,
        "policy": "term",
        "missing": False,
        "holds": [],
    }
    return insert(deletions).values(**values)
