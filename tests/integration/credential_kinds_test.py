"""Sessions beside keys, and every kind of origin with what changes something. Which route takes what: credential_matrix_test.py."""

import base64
import json
import os

import pytest

import sessions
from harness import Gateway, chat_body, gateway_fixture, get, mock, needs_binary, post  # noqa: F401
from sessions import BOB, signed_in

pytestmark = needs_binary
JSON = "Content-Type: application/json"
FRIEND = "https://app.example.com"
SETTINGS = {**sessions.SETTINGS, "secrets.master_key": base64.b64encode(os.urandom(32)).decode(),
            "session.allowed_origins": FRIEND + " https://other.example.com:8443", "session.rate_limit": 1_000_000}
gateway = gateway_fixture(settings=SETTINGS)

PROVIDER_KEYS = "/api/v1/provider-keys"


def test_a_key_on_a_path_for_sessions_is_told_so(gateway):
    answer = gateway.ask(get(PROVIDER_KEYS, gateway.authorization))
    assert answer.status == 401 and answer.error()["code"] == "UNAUTHORIZED"
    assert "session" in answer.error()["message"] and answer.error()["details"]["reason"] == "session_required"


def test_anonymous_users_manage_no_keys(gateway):
    line = signed_in(is_anonymous=True)
    assert gateway.ask(get(PROVIDER_KEYS, line)).status == 403
    assert gateway.ask(get("/api/v1/usage", line)).status == 200


def test_changes_can_be_kept_for_sessions_with_a_second_factor(tmp_path):
    with Gateway(tmp_path, settings={**SETTINGS, "supabase.require_mfa": True}) as gateway:
        assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in())).status == 403
        assert gateway.ask(get(PROVIDER_KEYS, signed_in())).status == 200
        assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in(aal="aal2"))).status == 400


def test_the_sessions_of_one_owner_share_a_limit(tmp_path):
    with Gateway(tmp_path, settings={**SETTINGS, "session.rate_limit": 5}) as gateway:
        statuses = [gateway.ask(get("/api/v1/usage", signed_in(session_id=f"s{n}"))).status for n in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert gateway.ask(get("/api/v1/usage", signed_in(BOB))).status == 200


def test_neighbours_of_a_route_are_no_routes(gateway):
    for path in (PROVIDER_KEYS + "/", PROVIDER_KEYS + "/a/b", PROVIDER_KEYS + "/a/test/b", PROVIDER_KEYS + "//test", PROVIDER_KEYS + "/a/tes"):
        for method in ("POST", "DELETE"):
            assert gateway.ask(get(path, signed_in(), method=method)).status == 404, path
    assert gateway.ask(get(PROVIDER_KEYS + "/a", signed_in())).status == 405


# Other origins

SITES = ["same-origin", "none", "same-site", "cross-site", "SAME-ORIGIN", ""]
ORIGINS = [None, FRIEND, "https://other.example.com:8443", "http://gateway", "https://gateway", "http://gateway:80", "null",
           "https://evil.example.com", "https://app.example.com.evil.com", "http://app.example.com", "https://app.example.com/", "HTTPS://APP.EXAMPLE.COM"]
FRIENDS = {FRIEND, "https://other.example.com:8443"}


@pytest.mark.parametrize("site", [None, *SITES])
@pytest.mark.parametrize("origin", ORIGINS)
def test_who_may_change_something_with_a_cookie(gateway, site, origin):
    fields = [f"Sec-Fetch-Site: {site}"] if site is not None else []
    fields += [f"Origin: {origin}"] if origin is not None else []
    if site is not None:
        allowed = site in ("same-origin", "none") or origin in FRIENDS
    else:
        # "http://gateway": the Host of these requests, without TLS.
        allowed = origin is None or origin in FRIENDS or origin == "http://gateway"
    answer = gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in(), *fields))
    assert answer.status == (400 if allowed else 403), answer  # 400: the body lacks fields
    deleted = gateway.ask(get(PROVIDER_KEYS + "/pk_0", signed_in(), *fields, method="DELETE"))
    assert deleted.status == (404 if allowed else 403)
    assert gateway.ask(get(PROVIDER_KEYS, signed_in(), *fields)).status == 200  # looking changes nothing
    # With a key nothing is ambient.
    assert gateway.ask(post("/api/v1/chat/completions", chat_body(), gateway.authorization, *fields)).status == 200


def test_two_origins_are_none(gateway):
    for fields in ([f"Origin: {FRIEND}"] * 2, ["Sec-Fetch-Site: none", "Sec-Fetch-Site: none"]):
        assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in(), *fields)).status == 403


def test_strictly_no_origin_is_refused_too(tmp_path):
    with Gateway(tmp_path, settings={**SETTINGS, "session.strict_origin": True}) as gateway:
        assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in())).status == 403
        assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in(), "Origin: http://gateway")).status == 400


def test_behind_a_proxy_the_public_url_is_the_own_origin(tmp_path):
    with Gateway(tmp_path, settings={**SETTINGS, "session.public_url": "https://gw.example.com/base"}) as gateway:
        for origin, status in (("https://gw.example.com", 400), ("https://gw.example.com/base", 403)):
            assert gateway.ask(post(PROVIDER_KEYS, b"{}", JSON, signed_in(), "Origin: " + origin)).status == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""])
def test_a_form_is_no_request(gateway, kind):
    assert gateway.ask(post(PROVIDER_KEYS, b"{}", f"Content-Type: {kind}", signed_in())).status == 415
    assert gateway.ask(post(PROVIDER_KEYS + "/pk_0/test", b"{}", f"Content-Type: {kind}", signed_in())).status == 415


def test_a_parameter_of_the_type_is_fine(gateway):
    assert gateway.ask(post(PROVIDER_KEYS, b"{}", "Content-Type: Application/JSON ; charset=utf-8", signed_in())).status == 400


# CORS


def test_a_preflight_is_answered_for_friends_only(gateway):
    ask = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type, x-provider-key"]
    good = gateway.ask(get(PROVIDER_KEYS, f"Origin: {FRIEND}", *ask, method="OPTIONS"))
    assert good.status == 204 and good.get("Access-Control-Allow-Origin") == FRIEND
    assert good.get("Access-Control-Allow-Credentials") == "true" and "Origin" in good.get("Vary")
    assert "POST" in good.get("Access-Control-Allow-Methods") and good.get("Access-Control-Allow-Headers") == "content-type, x-provider-key"
    for origin in ("https://evil.example.com", "null", "http://gateway"):
        bad = gateway.ask(get(PROVIDER_KEYS, f"Origin: {origin}", *ask, method="OPTIONS"))
        assert bad.status == 204 and not [name for name, _ in bad.fields if name.lower().startswith("access-control")]
        assert "Origin" in bad.get("Vary")


def test_friends_read_answers_and_errors_too(gateway):
    for request in (get(PROVIDER_KEYS, signed_in(), f"Origin: {FRIEND}"), get(PROVIDER_KEYS, f"Origin: {FRIEND}"),
                    get("/nowhere", f"Origin: {FRIEND}")):
        answer = gateway.ask(request)
        assert answer.get("Access-Control-Allow-Origin") == FRIEND, answer
    assert gateway.ask(get(PROVIDER_KEYS, signed_in(), "Origin: https://evil.example.com")).get("Access-Control-Allow-Origin") is None


def test_without_a_list_nothing_is_said_of_origins(tmp_path):
    with Gateway(tmp_path, settings=sessions.SETTINGS) as gateway:
        answer = gateway.ask(get("/api/v1/usage", signed_in(), f"Origin: {FRIEND}"))
        assert answer.status == 200
        assert not [name for name, _ in answer.fields if name.lower().startswith("access-control") or name.lower() == "vary"]


@pytest.mark.parametrize("value", ["https://app.example.com/", "app.example.com", "https://App.example.com", "*", "https://a.com/x"])
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(tmp_path, value):
    done = Gateway(tmp_path, settings={"session.allowed_origins": value}).run("check-config")
    assert done.returncode == 78 and "session.allowed_origins" in done.stderr + done.stdout
