"""The topics under `xunkao/v1`. Only these exist."""

ROOT = "xunkao/v1"


def desired(edge: str) -> str:
    """Centre to box, retained: a `Dispatch`."""
    return f"{ROOT}/edge/{edge}/desired"


def holds(edge: str) -> str:
    """Centre to box, retained: a `HoldNotice`."""
    return f"{ROOT}/edge/{edge}/holds"


def status(edge: str) -> str:
    """Box to all, retained, last will: an `EdgeStatus`."""
    return f"{ROOT}/edge/{edge}/status"


def fact(edge: str) -> str:
    """Box to centre: a `Fact`."""
    return f"{ROOT}/edge/{edge}/fact"


def heard(edge: str) -> str:
    """Centre to box: a `Heard`."""
    return f"{ROOT}/edge/{edge}/heard"


def session(room: str) -> str:
    """Centre to all, retained: what is examined in a room now."""
    return f"{ROOT}/room/{room}/session"


def alert(id: str) -> str:
    """Centre to all, retained while the alert is open, emptied on close."""
    return f"{ROOT}/alert/{id}"


def duty_alert(phone: str) -> str:
    """Centre to phone: an alert for whoever has duty there."""
    return f"{ROOT}/duty/{phone}/alert"


def duty_text(phone: str) -> str:
    """Centre to phone: the same as plain text, for apps that read no JSON."""
    return f"{ROOT}/duty/{phone}/text"


def duty_ack(phone: str) -> str:
    """Phone to centre: delivered, read, taken, declined or solved."""
    return f"{ROOT}/duty/{phone}/ack"


def duty_presence(phone: str) -> str:
    """Phone to centre, retained, last will: whether it is connected."""
    return f"{ROOT}/duty/{phone}/presence"


EVERY_STATUS = f"{ROOT}/edge/+/status"
EVERY_FACT = f"{ROOT}/edge/+/fact"
EVERY_ACK = f"{ROOT}/duty/+/ack"
EVERY_PRESENCE = f"{ROOT}/duty/+/presence"
EVERY_ALERT = f"{ROOT}/alert/+"


def edge_in(topic: str) -> str:
    """Give the box named in an `edge/…` topic; raises ValueError for any other."""
    return _named(topic, "edge", "not an edge topic")


def phone_in(topic: str) -> str:
    """Give the phone named in a `duty/…` topic; raises ValueError for any other."""
    return _named(topic, "duty", "not a duty topic")


def is_of_duty(topic: str) -> bool:
    """True for what a duty phone says."""
    return topic.startswith(f"{ROOT}/duty/")


def is_of_alerts(topic: str) -> bool:
    """True for what is told of an alert to all."""
    return topic.startswith(f"{ROOT}/alert/")


def _named(topic: str, kind: str, otherwise: str) -> str:
    parts = topic.removeprefix(ROOT + "/").split("/")
    if len(parts) != 3 or parts[0] != kind or not topic.startswith(ROOT + "/"):
        raise ValueError(f"{otherwise}: {topic}")
    return parts[1]
