"""What the centre knows, on SQLite or PostgreSQL."""

from orchestrator.store.engine import Store, StoreTooNew, StoreUnavailable

__all__ = ["Store", "StoreTooNew", "StoreUnavailable"]
