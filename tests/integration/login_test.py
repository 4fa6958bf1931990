"""Signing in where the gateway issues the sessions itself: one link, once."""

import base64
import json
import os
import re
import time

import pytest

from harness import Gateway, eventually, get, needs_binary, post
from postgres_server import Postgres, needs_postgres

pytestmark = needs_binary
USAGE = "/api/v1/usage"
LINK = re.compile(r"http://127\.0\.0\.1:(\d+)(/login\?code=[0-9A-Za-z]{43})")


def start(folder, **settings):
    return Gateway(folder, settings=settings)


def printed_link(gateway):
    found = LINK.search(gateway.log_text())
    return found[2] if found else None


def take(gateway, link, *fields):
    return gateway.ask(get(link, *fields))


def cookie_of(answer):
    """The Cookie line that a browser would send back."""
    return "Cookie: " + answer.get("Set-Cookie").split(";")[0]


def test_the_link_of_the_first_start_signs_in_once(tmp_path):
    with start(tmp_path) as gateway:
        link = eventually(lambda: printed_link(gateway), "the link")
        answer = take(gateway, link)
        assert answer.status == 303 and answer.get("Location") == "/" and answer.get("Cache-Control") == "no-store"
        assert answer.get("Referrer-Policy") == "no-referrer"
        attributes = answer.get("Set-Cookie").split("; ")[1:]
        assert sorted(attributes) == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax"]
        assert gateway.ask(get(USAGE, cookie_of(answer))).status == 200
        again = take(gateway, link)
        assert again.status == 401 and "Set-Cookie" not in dict(again.fields)
        assert link.split("=")[1] not in (gateway.folder / "access").read_text()


def test_only_the_first_start_prints_a_link_and_the_command_makes_more(tmp_path):
    with start(tmp_path) as gateway:
        eventually(lambda: printed_link(gateway), "the link")
    with start(tmp_path) as gateway:
        assert printed_link(gateway) is None
        link = gateway.command("login-link", "--owner", "alice").strip()
        path = link[link.index("/login"):]
        answer = take(gateway, path)
        assert answer.status == 303
        assert gateway.ask(get(USAGE, cookie_of(answer))).status == 200
        eventually(lambda: any(line.get("owner") == "alice" for line in gateway.access_lines()), "the owner in the access log")


@needs_postgres
def test_on_one_postgres_a_link_signs_in_once_at_whichever_gateway(tmp_path):
    with Postgres(tmp_path / "postgres") as postgres:
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            folder.mkdir()
        shared = {"postgres.url": postgres.url, "secrets.master_key": base64.b64encode(os.urandom(32)).decode()}
        with start(folders[0], **shared) as one:
            link = eventually(lambda: printed_link(one), "the link")
            with start(folders[1], **shared) as other:
                assert printed_link(other) is None  # it was not the first
                answer = take(other, link)
                assert answer.status == 303 and take(one, link).status == 401
                for gateway in (one, other):
                    assert gateway.ask(get(USAGE, cookie_of(answer))).status == 200
                made = other.command("login-link").strip()
                assert take(one, made[made.index("/login"):]).status == 303


def test_what_only_looks_ahead_takes_no_link(tmp_path):
    with start(tmp_path) as gateway:
        link = eventually(lambda: printed_link(gateway), "the link")
        with gateway.connect() as connection:
            head = connection.send(get(link, method="HEAD")).read(head=True)
        assert head.status == 204
        for field in ("Sec-Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "Purpose: prefetch"):
            assert take(gateway, link, field).status == 204
        assert take(gateway, link).status == 303


@pytest.mark.parametrize("path", ["/login", "/login?", "/login?code=", "/login?code=" + "A" * 43, "/login?code=" + "A" * 42, "/login?x=1",
                                  "/login?code=" + "%41" * 43])
def test_other_codes_are_refused(tmp_path, path):
    with start(tmp_path) as gateway:
        answer = take(gateway, path)
        assert answer.status == 401 and "login-link" in answer.error()["message"]


def test_a_session_of_the_gateway_lives_as_long_as_configured_and_over_a_restart(tmp_path):
    key = base64.b64encode(os.urandom(32)).decode()
    with start(tmp_path, **{"secrets.master_key": key, "session.lifetime": "2h"}) as gateway:
        answer = take(gateway, eventually(lambda: printed_link(gateway), "the link"))
        line = cookie_of(answer)
        assert "Max-Age=7200" in answer.get("Set-Cookie")
        value = line.split("=", 1)[1].removeprefix("base64-")
        token = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))["access_token"]
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert claims["sub"] == "local" and abs(claims["exp"] - time.time() - 7200) < 120
        changed = json.dumps({**claims, "sub": "alice"}).encode()
        forged = ".".join([token.split(".")[0], base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), token.split(".")[2]])
        session = base64.urlsafe_b64encode(json.dumps({"access_token": forged}).encode()).rstrip(b"=").decode()
        assert gateway.ask(get(USAGE, f"Cookie: {line[8:].split('=')[0]}=base64-{session}")).status == 401
    with start(tmp_path, **{"secrets.master_key": key}) as gateway:
        assert gateway.ask(get(USAGE, line)).status == 200
        stored = gateway.ask(post("/api/v1/provider-keys", json.dumps({"provider": "openai", "slug": "a", "apiKey": "sk-0123456789"}),
                                  "Content-Type: application/json", line))
        assert stored.status == 201


def test_with_supabase_there_is_no_link(tmp_path):
    settings = {"supabase.url": "https://abcdefghijklmnopqrst.supabase.co", "supabase.jwt_secret": "secret-of-the-tests"}
    with start(tmp_path, **settings) as gateway:
        assert printed_link(gateway) is None
        assert take(gateway, "/login?code=" + "A" * 43).status == 404
        refused = gateway.run("login-link")
        assert refused.returncode == 64 and "Supabase" in refused.stderr


def test_by_tls_the_cookie_is_for_tls_only(tmp_path):
    with start(tmp_path, **{"session.public_url": "https://gateway.example.com"}) as gateway:
        link = gateway.command("login-link").strip()
        assert link.startswith("https://gateway.example.com/login?code=")
        answer = take(gateway, link.removeprefix("https://gateway.example.com"))
        assert "; Secure" in answer.get("Set-Cookie")
