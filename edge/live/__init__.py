"""Fan-out to browsers; the only place that knows aiortc."""
