"""Cookies made by Supabase's own library, read by the gateway: in one, two and three chunks, in both encodings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "integration")]

import sessions  # noqa: E402
from harness import Gateway, get  # noqa: E402

ABOUT = "Zoë 東京 "


def made(url, pad, encoding, **claims):
    return {"url": url, "token": sessions.hs256(sessions.claims(project=url, **claims)), "encoding": encoding,
            "user": {"id": sessions.ANN, "aud": "authenticated", "role": "authenticated", "email": "ann@example.com",
                     "user_metadata": {"about": ABOUT * pad}}}


def cookies(*sessions_wanted):
    """For each the names and the Cookie header that the library's cookies give."""
    done = subprocess.run(["node", str(HERE / "cookies.mjs")], input=json.dumps(sessions_wanted), capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway"), settings=sessions.SETTINGS) as running:
        yield running


@pytest.mark.parametrize("encoding", ["base64url", "raw"])
def test_cookies_of_one_two_and_three_chunks_are_read(gateway, encoding):
    wanted = [made(sessions.PROJECT, pad, encoding) for pad in range(0, 400, 20)]
    counts = set()
    for one in cookies(*wanted):
        counts.add(len(one["names"]))
        answer = gateway.ask(get("/api/v1/usage", "Cookie: theme=dark; " + one["header"] + "; x=1"))
        assert answer.status == 200, (one["names"], answer)
    assert {1, 2, 3} <= counts


def test_the_chunks_come_in_any_order_and_all_are_needed(gateway):
    (one,) = cookies(made(sessions.PROJECT, 300, "raw"))
    chunks = one["header"].split("; ")
    assert len(chunks) >= 3
    assert gateway.ask(get("/api/v1/usage", "Cookie: " + "; ".join(reversed(chunks)))).status == 200
    for missing in range(len(chunks)):
        rest = chunks[:missing] + chunks[missing + 1:]
        assert gateway.ask(get("/api/v1/usage", "Cookie: " + "; ".join(rest))).status == 401


@pytest.mark.parametrize("url", ["http://127.0.0.1:54321", "https://auth.example.com", "https://abcdefghijklmnopqrst.supabase.co"])
def test_the_cookie_has_the_name_that_the_library_gives_it(tmp_path, url):
    (one,) = cookies(made(url, 0, "base64url"))
    with Gateway(tmp_path, settings={"supabase.url": url, "supabase.jwt_secret": sessions.SECRET}) as gateway:
        assert gateway.ask(get("/api/v1/usage", "Cookie: " + one["header"])).status == 200


def test_the_library_s_cookie_of_another_project_is_no_session(gateway):
    (one,) = cookies(made("https://otherotherotherothe.supabase.co", 0, "base64url"))
    assert gateway.ask(get("/api/v1/usage", "Cookie: " + one["header"])).status == 401
