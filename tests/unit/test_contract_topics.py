import pytest

from contract import topics


@pytest.mark.parametrize(
    "topic",
    [
        topics.desired("b1"),
        topics.holds("b1"),
        topics.status("b1"),
        topics.fact("b1"),
        topics.heard("b1"),
    ],
)
def test_an_edges_topic_names_its_box(topic: str) -> None:
    assert topics.edge_in(topic) == "b1"


@pytest.mark.parametrize(
    "topic",
    ["", "edge/b1/fact", "xunkao/v1/room/r1/session", "xunkao/v1/edge/b1", "xunkao/v1/edge/b1/a/b"],
)
def test_any_other_topic_names_none(topic: str) -> None:
    with pytest.raises(ValueError, match="not an edge topic"):
        topics.edge_in(topic)


def test_the_centres_filters_are_the_boxes_topics() -> None:
    assert topics.EVERY_FACT.replace("+", "b1") == topics.fact("b1")
    assert topics.EVERY_STATUS.replace("+", "b1") == topics.status("b1")


def test_the_centres_filters_are_the_phones_topics() -> None:
    assert topics.EVERY_ACK.replace("+", "p1") == topics.duty_ack("p1")
    assert topics.EVERY_PRESENCE.replace("+", "p1") == topics.duty_presence("p1")


def test_a_phones_topic_names_its_phone_and_any_other_none() -> None:
    assert topics.phone_in(topics.duty_ack("p1")) == "p1"
    assert topics.is_of_duty(topics.duty_ack("p1"))
    assert not topics.is_of_duty(topics.fact("b1"))
    with pytest.raises(ValueError, match="not a duty topic"):
        topics.phone_in(topics.fact("b1"))
