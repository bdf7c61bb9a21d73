"""Connections that remember what went out."""


class PlainSink:
    """A connection whose other side reads everything at once."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.unsent = 0
        self.closing = False

    def write(self, data: bytes) -> None:
        """Remember."""
        self.sent.append(data)

    def is_closing(self) -> bool:
        """As the test says."""
        return self.closing

    def get_write_buffer_size(self) -> int:
        """As the test says."""
        return self.unsent
