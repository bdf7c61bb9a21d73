"""`docs/reference/http.md`, written from the table of routes: `python -m web.reference`."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.access import ALLOWED
from web.endpoint import Endpoint, Gate
from web.problems import CODES
from web.routes import ENDPOINTS
from web.routes.events import FOR_ALL, VISIBLE

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "http.md"

_HEAD = """# HTTP

What the centre serves. This page is written from the table of routes (`python -m web.reference`)
and a test compares them; `GET /api/v1/openapi.json` says the same for machines, and
`GET /api/v1/asyncapi.json` describes the MQTT topics.

- Bodies are JSON. A field or query name that is not known is refused. Instants are ISO 8601 with
  an offset.
- `POST /api/v1/login` sets the cookie `xunkao_session`. Unsafe methods send the `csrf` of the
  log-in as `X-CSRF-Token`. Pages of other sites are refused by their `Origin`.
- Lists answer `{items, next}`; `?limit=` (100, at most 1000) and `?after=` with the last `next`.
- Refusals are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, a stable
  `code`, and perhaps a `detail`. Whoever is refused for lack of leave stands in the ledger.
"""


def render(endpoints: tuple[Endpoint, ...] = ENDPOINTS) -> str:
    """Write the page."""
    by_tag: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        by_tag[endpoint.tag].append(endpoint)
    parts = [_HEAD]
    for tag, group in by_tag.items():
        parts.append(f"## {tag}\n\n" + "\n".join(map(_entry, group)))
    parts.append(_events())
    parts.append(_codes())
    return "\n".join(parts)


def _entry(endpoint: Endpoint) -> str:
    lines = [
        f"### {endpoint.method} {endpoint.path}\n",
        f"{endpoint.summary}.\n",
        f"- For: {_who(endpoint)}",
    ]
    if endpoint.query is not None:
        lines.append(f"- Query: {_fields(endpoint.query)}")
    if endpoint.takes is not None:
        lines.append(f"- Body: {_fields(endpoint.takes)}")
    elif endpoint.takes_type:
        lines.append(f"- Body: `{endpoint.takes_type}`")
    lines.append(f"- Answer: {endpoint.status}{_answer(endpoint)}")
    if endpoint.refusals():
        lines.append("- Refusals: " + ", ".join(f"`{code}`" for code in endpoint.refusals()))
    return "\n".join(lines) + "\n"


def _who(endpoint: Endpoint) -> str:
    if isinstance(endpoint.needs, Gate):
        return "everybody" if endpoint.needs is Gate.PUBLIC else endpoint.needs.value
    roles = [role.value for role, allowed in ALLOWED.items() if endpoint.needs in allowed]
    token = "; or a live token of theirs" if endpoint.bearer else ""
    return ", ".join(f"`{role}`" for role in roles) + f" (`{endpoint.needs.value}`){token}"


def _fields(kind: Any) -> str:
    return ", ".join(
        f"`{field.encode_name}`" + ("" if field.required else "?")
        for field in msgspec.structs.fields(kind)
    )


def _answer(endpoint: Endpoint) -> str:
    if endpoint.gives is not None:
        inside = getattr(endpoint.gives, "__args__", None)
        if inside:
            return f" `items` of {_fields(inside[0])}; `next`"
        return f" {_fields(endpoint.gives)}"
    return f" `{endpoint.gives_type}`" if endpoint.gives_type else ""


def _events() -> str:
    rows = ["## Events\n", "On `/events`, `{type, id, at, data}`; who hears what:\n"]
    rows += ["| type | for |", "|---|---|"]
    rows += [f"| `{kind}` | everybody |" for kind in FOR_ALL]
    for kind, action in VISIBLE.items():
        roles = [role.value for role, allowed in ALLOWED.items() if action in allowed]
        rows.append(f"| `{kind}` | {', '.join(roles)} |")
    return "\n".join(rows) + "\n"


def _codes() -> str:
    rows = ["## Codes\n", "| code | status | meaning |", "|---|---|---|"]
    rows += [f"| `{code}` | {status} | {means} |" for code, (status, means) in CODES.items()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render())
