"""What the centre knows, on SQLite or PostgreSQL."""

from orchestrator.store.engine import Store
from orchestrator.store.failures import StoreAway, StoreTooNew, StoreUnavailable

__all__ = ["Store", "StoreAway", "StoreTooNew", "StoreUnavailable"]
