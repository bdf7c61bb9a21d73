"""What follows from a camera's number."""


def camera_id(number: int) -> str:
    """The id of the camera with this number, from 1."""
    return f"cam-{number:02}"


def phase_ms(number: int) -> int:
    """Milliseconds after the second at which this camera's key frames lie.

    They differ so that not all cameras send their largest picture at once.
    """
    return (number - 1) * 7 % 12 * 20
