"""The AsyncAPI 3 document of the MQTT topics, made from the contract itself."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from contract import topics
from contract.messages import (
    FACT_TYPES,
    DesiredState,
    Dispatch,
    EdgeStatus,
    EpochGrant,
    Fact,
    Heard,
    RoomSession,
)

Json = dict[str, Any]

_NAMES = {"edge": "box", "room": "room"}
_REF = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic: what travels there, from whom, and whether the broker keeps it."""

    name: str
    address: str
    payload: type[msgspec.Struct]
    centre: Literal["send", "receive"]
    retained: bool
    summary: str


CHANNELS = (
    Channel(
        "desired",
        topics.desired("{edge}"),
        Dispatch,
        "send",
        True,
        "The whole of what a box should do: a signed DesiredState and the EpochGrant of its epoch.",
    ),
    Channel(
        "status",
        topics.status("{edge}"),
        EdgeStatus,
        "receive",
        True,
        "What a box says of itself; its last will has state offline.",
    ),
    Channel(
        "fact",
        topics.fact("{edge}"),
        Fact,
        "receive",
        False,
        "What happened at a box, signed by it; sent again, in order of seq, until heard.",
    ),
    Channel(
        "heard",
        topics.heard("{edge}"),
        Heard,
        "send",
        False,
        "The centre has stored every fact up to here.",
    ),
    Channel(
        "session",
        topics.session("{room}"),
        RoomSession,
        "send",
        True,
        "What is examined in a room now; emptied when the window has closed.",
    ),
)
"""The channels in use; the application is the centre."""


def document(version: str) -> Json:
    """Describe the channels, from the centre's side."""
    inside = (DesiredState, EpochGrant, *FACT_TYPES.values())
    types = [*{channel.payload for channel in CHANNELS}, *inside]
    _, schemas = msgspec.json.schema_components(
        sorted(types, key=lambda kind: kind.__name__), ref_template=_REF
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Xunkao 巡考",
            "version": version,
            "description": (
                "MQTT 3.1.1 semantics, QoS 1, JSON payloads, idempotent ids. The broker is never "
                "trusted for delivery. Browsers reach it at /mqtt (WebSocket, subprotocol mqtt)."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {channel.name: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {
                channel.payload.__name__: {
                    "name": channel.payload.__name__,
                    "payload": {"$ref": _REF.format(name=channel.payload.__name__)},
                }
                for channel in CHANNELS
            },
            "schemas": schemas,
        },
    }


def _channel(channel: Channel) -> Json:
    name = channel.payload.__name__
    return {
        "address": channel.address,
        "summary": channel.summary,
        "parameters": {
            name: {"description": f"The id of a {_NAMES[name]}"}
            for name in re.findall(r"{(\w+)}", channel.address)
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"mqtt": {}},
    }


def _operation(channel: Channel) -> Json:
    return {
        "action": channel.centre,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "bindings": {"mqtt": {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }
