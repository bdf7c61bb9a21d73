"""The AsyncAPI 3 document of the MQTT topics, made from the contract itself."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from contract import topics
from contract.duty import Ack, AlertTold, Presence
from contract.messages import (
    FACT_TYPES,
    DesiredState,
    Dispatch,
    EdgeStatus,
    EpochGrant,
    Fact,
    Heard,
    HoldList,
    HoldNotice,
    RoomSession,
)

Json = dict[str, Any]

_NAMES = {"edge": "box", "room": "room", "alert": "alert", "phone": "duty phone"}
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
    text: bool = False
    """Plain text for people instead of JSON."""

    @property
    def message(self) -> str:
        """What the message is called."""
        return f"{self.payload.__name__}Text" if self.text else self.payload.__name__


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
        "holds",
        topics.holds("{edge}"),
        HoldNotice,
        "send",
        True,
        "All holds that concern a box, whole: a signed HoldList and the EpochGrant of its epoch. "
        "Signed anew every 20 minutes; without one of the last hour the box deletes nothing.",
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
    Channel(
        "alert",
        topics.alert("{alert}"),
        AlertTold,
        "send",
        True,
        "An open alert, renewed as it changes; emptied when it is solved.",
    ),
    Channel(
        "duty_alert",
        topics.duty_alert("{phone}"),
        AlertTold,
        "send",
        False,
        "An alert for whoever has this phone; the newest with an id counts. Answer on ack.",
    ),
    Channel(
        "duty_text",
        topics.duty_text("{phone}"),
        AlertTold,
        "send",
        False,
        "The same as plain text, Chinese then English.",
        text=True,
    ),
    Channel(
        "duty_ack",
        topics.duty_ack("{phone}"),
        Ack,
        "receive",
        False,
        "What became of an alert at a phone. Who acts is whose log-in it is; repeats are harmless.",
    ),
    Channel(
        "duty_presence",
        topics.duty_presence("{phone}"),
        Presence,
        "receive",
        True,
        "Whether the phone is connected; its last will says offline. A bare word will do.",
    ),
)
"""The channels in use; the application is the centre."""


def document(version: str) -> Json:
    """Describe the channels, from the centre's side."""
    inside = (DesiredState, EpochGrant, HoldList, *FACT_TYPES.values())
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
            "messages": {channel.message: _message(channel) for channel in CHANNELS},
            "schemas": schemas,
        },
    }


def _message(channel: Channel) -> Json:
    if channel.text:
        return {
            "name": channel.message,
            "contentType": "text/plain",
            "payload": {"type": "string"},
        }
    ref = _REF.format(name=channel.payload.__name__)
    return {"name": channel.message, "payload": {"$ref": ref}}


def _channel(channel: Channel) -> Json:
    name = channel.message
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
