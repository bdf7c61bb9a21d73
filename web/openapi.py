"""The OpenAPI 3.1 document, made from the table of endpoints and the structs they name."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from web.endpoint import BASE, Endpoint, Gate
from web.problems import CODES, PROBLEM_TYPE, ProblemDetails

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")


def document(endpoints: Iterable[Endpoint], version: str) -> Json:
    """Describe the endpoints; the same table, the same document."""
    table = [endpoint for endpoint in endpoints if endpoint.documented]
    types = {kind for endpoint in table for kind in _types(endpoint)} | {ProblemDetails}
    _, components = msgspec.json.schema_components(sorted(types, key=str), ref_template=_REF)
    paths: dict[str, Json] = {}
    for endpoint in table:
        path = paths.setdefault(endpoint.path, {})
        path[endpoint.method.lower()] = _operation(endpoint, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Xunkao 巡考",
            "version": version,
            "description": (
                "Instants are ISO 8601 with an offset. Lists answer `{items, next}`; `next` is the "
                "`after` of the following page. Unsafe methods send the `csrf` of the log-in as "
                "`X-CSRF-Token`. Refusals are RFC 9457 problem details with a stable `code`."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "xunkao_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                "live_token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _types(endpoint: Endpoint) -> list[type[msgspec.Struct]]:
    named = (endpoint.query, endpoint.takes, endpoint.gives)
    return [kind for kind in named if kind is not None]


def _operation(endpoint: Endpoint, components: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": f"{endpoint.method.lower()}{_camel(endpoint.path)}",
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": {str(endpoint.status): _answer(endpoint), **_refusals(endpoint)},
        "security": _security(endpoint),
    }
    operation["x-needs"] = endpoint.needs.value
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": 128},
        }
        for name in _PARAMETER.findall(endpoint.path)
    ]
    parameters += _query(endpoint, components)
    if parameters:
        operation["parameters"] = parameters
    content = _body(endpoint)
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _query(endpoint: Endpoint, components: Mapping[str, Json]) -> list[Json]:
    if endpoint.query is None:
        return []
    schema = components[endpoint.query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]


def _body(endpoint: Endpoint) -> Json:
    if endpoint.takes is not None:
        return {"application/json": {"schema": _ref(endpoint.takes)}}
    if endpoint.takes_type == "multipart/form-data":
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        return {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}
            }
        }
    if endpoint.takes_type:
        return {endpoint.takes_type: {"schema": {"type": "string"}}}
    return {}


def _answer(endpoint: Endpoint) -> Json:
    answer: Json = {"description": endpoint.summary}
    if endpoint.gives is not None:
        answer["content"] = {"application/json": {"schema": _ref(endpoint.gives)}}
    elif endpoint.gives_type:
        answer["content"] = {endpoint.gives_type: {}}
    if endpoint.located:
        answer["headers"] = {
            "Location": {"description": "What was made", "schema": {"type": "string"}}
        }
    return answer


def _refusals(endpoint: Endpoint) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in endpoint.refusals():
        by_status.setdefault(CODES[code][0], []).append(code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {PROBLEM_TYPE: {"schema": _ref(ProblemDetails)}},
        }
        for status, codes in sorted(by_status.items())
    }


def _security(endpoint: Endpoint) -> list[Json]:
    if endpoint.needs is Gate.PUBLIC:
        return []
    cookie: Json = {"session": [], "csrf": []} if endpoint.is_unsafe else {"session": []}
    return [cookie, {"live_token": []}] if endpoint.bearer else [cookie]


def _ref(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": _REF.format(name=_schema_name(kind))}


def _schema_name(kind: type[msgspec.Struct]) -> str:
    (ref,), _ = msgspec.json.schema_components([kind], ref_template="{name}")
    return str(ref["$ref"])


def _camel(path: str) -> str:
    words = re.findall(r"\w+", path.removeprefix(BASE))
    return "".join(word[:1].upper() + word[1:] for word in words) or "Root"
