"""The description of the topics."""

import json
import re

from contract import topics
from web.asyncapi import CHANNELS, document


def test_every_channel_is_a_topic_of_the_contract() -> None:
    assert {channel.address for channel in CHANNELS} <= {
        *(
            make("{edge}")
            for make in (topics.desired, topics.holds, topics.status, topics.fact, topics.heard)
        ),
        topics.session("{room}"),
        topics.alert("{alert}"),
        *(
            make("{phone}")
            for make in (
                topics.duty_alert,
                topics.duty_text,
                topics.duty_ack,
                topics.duty_presence,
            )
        ),
    }


def test_every_reference_leads_somewhere() -> None:
    described = document("1.0.0")
    for ref in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described)):
        here = described
        for step in ref.split("/"):
            here = here[step]
        assert here


def test_payloads_say_what_the_contract_says() -> None:
    schemas = document("1.0.0")["components"]["schemas"]
    assert schemas["Fact"]["properties"]["seq"]["minimum"] == 1
    assert "SegmentClosed" in schemas


def test_every_operation_names_its_channel_and_qos() -> None:
    described = document("1.0.0")
    assert described["asyncapi"] == "3.0.0"
    for name, operation in described["operations"].items():
        assert operation["channel"]["$ref"] == f"#/channels/{name}"
        assert operation["bindings"]["mqtt"]["qos"] == 1
        assert operation["action"] in ("send", "receive")
