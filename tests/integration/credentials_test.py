"""No way around the key: spellings of paths, keys in the wrong place, two keys at once."""

import pytest

from harness import chat_body, gateway_fixture, get, mock, needs_binary, post  # noqa: F401

pytestmark = needs_binary
gateway = gateway_fixture()

CHAT = "/api/v1/chat/completions"
BODY = chat_body()
OTHER = "ck_" + "A" * 32


# H-25: tricks with paths


@pytest.mark.parametrize("path", ["/api/v1/../v1/models", "/api//v1/models", "/api/v1/models/", "/API/V1/MODELS", "/api/v1/./models",
                                  "/api/v1/%6dodels", "/api%2fv1%2fmodels", "/api/v1/models%2f", "/api/health/../v1/models",
                                  "/api/health/..%2fv1/models", "/api/v1/models;a=b", "//api/v1/models",
                                  "/api/health/%2e%2e/v1/models", "/api/v1/models%20"])
def test_no_spelling_of_a_path_goes_around_the_key(gateway, path):
    before = gateway.upstream_requests()
    answer = gateway.ask(get(path))
    assert answer.status in (401, 404), answer
    assert b'"object"' not in answer.body
    assert gateway.upstream_requests() == before


def test_a_key_in_the_query_is_not_a_credential(gateway):
    for name in ("key", "api_key", "access_token", "authorization"):
        answer = gateway.ask(get(f"/api/v1/models?{name}={gateway.key}"))
        assert answer.status == 401
    assert gateway.key not in gateway.log_text() and gateway.key not in (gateway.folder / "access").read_text()


# H-29: two credentials


def test_two_equal_credentials_are_one(gateway):
    answer = gateway.ask(get("/api/v1/models", gateway.authorization, "X-API-Key: " + gateway.key))
    assert answer.status == 200


@pytest.mark.parametrize("lines", [
    ["Authorization: Bearer {key}", "Authorization: Bearer " + OTHER], ["Authorization: Bearer " + OTHER, "Authorization: Bearer {key}"],
    ["Authorization: Bearer {key}", "X-API-Key: " + OTHER], ["Authorization: Bearer " + OTHER, "X-API-Key: {key}"],
    ["X-API-Key: {key}", "X-API-Key: " + OTHER]])
def test_two_different_credentials_are_400(gateway, lines):
    before = gateway.upstream_requests()
    answer = gateway.ask(post(CHAT, BODY, *(line.format(key=gateway.key) for line in lines)))
    assert answer.status == 400 and answer.error()["code"] == "BAD_REQUEST"
    assert gateway.upstream_requests() == before
