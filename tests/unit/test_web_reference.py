"""The page about HTTP says what is served."""

import re

from web.endpoint import Gate
from web.openapi import document
from web.problems import CODES
from web.reference import PAGE, render
from web.routes import ENDPOINTS


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text() == render(), "run python -m web.reference"


def test_every_refusal_of_every_route_has_a_meaning() -> None:
    for endpoint in ENDPOINTS:
        assert set(endpoint.refusals()) <= CODES.keys(), endpoint.path


def test_no_address_is_served_twice() -> None:
    served = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
    assert len(served) == len(set(served))


def test_whoever_changes_something_is_known() -> None:
    unknown = {e.path for e in ENDPOINTS if e.is_unsafe and e.needs is Gate.PUBLIC}
    asked = {"/api/v1/broker/auth", "/api/v1/broker/acl"}  # by a broker; they change nothing
    assert unknown == {"/api/v1/login", "/api/v1/enrol"} | asked


def test_every_operation_is_named_once_in_the_openapi_document() -> None:
    paths = document(ENDPOINTS, "1")["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS)
    assert all(re.fullmatch(r"\w+", name) for name in names)
