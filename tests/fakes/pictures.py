"""Pictures as the recorder gets them, at another time than they were drawn."""

from edge.rtsp.intake import Picture


def moved(picture: Picture, *, by_90k: int = 0, by_us: int = 0) -> Picture:
    """Give the same picture so much later, by its stream's time or by the wall clock."""
    return Picture(
        picture.timestamp_90k + by_90k,
        picture.captured_us + by_us,
        picture.run,
        picture.key,
        picture.data,
        picture.parameters,
        picture.clock_offset_ms,
    )
