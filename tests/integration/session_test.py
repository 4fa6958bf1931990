"""Who is signed in: Supabase's cookie in all its forms, and every token that must not pass."""

import time

import pytest

import sessions
from harness import eventually, gateway_fixture, get, mock, needs_binary  # noqa: F401
from sessions import ANN, BOB, COOKIE, b64url, claims, cookie, cookie_value, hs256, raw_cookie_value, signed_in

pytestmark = needs_binary
gateway = gateway_fixture(settings=sessions.SETTINGS)

USAGE = "/api/v1/usage"
PADDING = {"full_name": "Zoë Ångström 東京 " * 40}


def status(gateway, *fields):
    return gateway.ask(get(USAGE, *fields)).status


def refusal(gateway, *fields):
    answer = gateway.ask(get(USAGE, *fields))
    assert answer.status == 401, answer
    return answer.error()["details"].get("reason")


def test_a_session_reads_usage(gateway):
    answer = gateway.ask(get(USAGE, signed_in()))
    assert answer.status == 200 and answer.json()["success"] is True
    assert answer.get("X-RateLimit-Limit") == "120"


def test_a_key_reads_usage(gateway):
    assert status(gateway, gateway.authorization) == 200


def test_a_session_is_no_credential_for_models(gateway):
    assert gateway.ask(get("/api/v1/models", signed_in())).status == 401


def test_with_a_key_the_cookie_is_not_looked_at(gateway):
    assert status(gateway, gateway.authorization, signed_in(exp=1)) == 200
    assert status(gateway, "X-API-Key: ck_" + "A" * 32, signed_in()) == 401


def test_no_credential_at_all(gateway):
    answer = gateway.ask(get(USAGE))
    assert answer.status == 401 and answer.get("WWW-Authenticate") == "Bearer"


# The cookie


def test_a_raw_cookie(gateway):
    assert status(gateway, f"Cookie: {COOKIE}={raw_cookie_value(hs256(claims()))}") == 200


def test_the_array_of_older_libraries(gateway):
    value = "base64-" + b64url('["' + hs256(claims()) + '","refresh",null,null]')
    assert status(gateway, f"Cookie: {COOKIE}={value}") == 200


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_chunks_in_any_order_between_other_cookies(gateway, order):
    value = cookie_value(hs256(claims(user_metadata=PADDING)))
    size = len(value) // 3 + 1
    chunks = [f"{COOKIE}.{i}={value[i * size:(i + 1) * size]}" for i in range(3)]
    line = "; ".join(["theme=dark", *(chunks[i] for i in order), "last=1"])
    assert status(gateway, "Cookie: " + line) == 200


def test_chunks_in_several_cookie_lines(gateway):
    value = cookie_value(hs256(claims()))
    assert status(gateway, f"Cookie: {COOKIE}.0={value[:300]}", f"Cookie: {COOKIE}.1={value[300:]}") == 200


def test_a_gap_ends_the_chunks(gateway):
    value = cookie_value(hs256(claims()))
    assert refusal(gateway, f"Cookie: {COOKIE}.0={value[:300]}; {COOKIE}.2={value[300:]}") == "session_invalid"
    assert status(gateway, f"Cookie: {COOKIE}.0={value}; {COOKIE}.2=left-over") == 200


def test_chunks_of_two_sessions_are_no_session(gateway):
    one, other = cookie_value(hs256(claims())), cookie_value(hs256(claims(BOB, email="other@example.com")))
    assert refusal(gateway, f"Cookie: {COOKIE}.0={one[:301]}; {COOKIE}.1={other[300:]}") == "session_invalid"


def test_the_whole_cookie_goes_before_chunks(gateway):
    good = cookie_value(hs256(claims()))
    assert status(gateway, f"Cookie: {COOKIE}.0=base64-AAAA; {COOKIE}={good}") == 200
    assert refusal(gateway, f"Cookie: {COOKIE}=base64-AAAA; {COOKIE}.0={good}") == "session_invalid"
    assert status(gateway, f"Cookie: {COOKIE}=; {COOKIE}.0={good}") == 200  # an empty one was deleted


def test_of_two_cookies_of_one_name_the_good_one_counts(gateway):
    good, old = cookie_value(hs256(claims())), cookie_value(hs256(claims(exp=1)))
    assert status(gateway, f"Cookie: {COOKIE}={old}; {COOKIE}={good}") == 200
    assert status(gateway, f"Cookie: {COOKIE}={good}; {COOKIE}={old}") == 200


@pytest.mark.parametrize("name", [COOKIE + "-code-verifier", COOKIE + ".00", COOKIE + ".x", COOKIE + ".", "x" + COOKIE, COOKIE.upper()])
def test_neighbours_are_no_session(gateway, name):
    assert status(gateway, f"Cookie: {name}={cookie_value(hs256(claims()))}") == 401


def test_eleven_chunks_are_no_session(gateway):
    value = cookie_value(hs256(claims()))
    size = len(value) // 11 + 1
    line = "; ".join(f"{COOKIE}.{i}={value[i * size:(i + 1) * size]}" for i in range(11))
    assert refusal(gateway, "Cookie: " + line) == "session_invalid"


def test_only_the_token_is_believed(gateway):
    forged = sessions.session_json(hs256(claims(BOB)), user={"id": ANN, "role": "service_role"})
    answer = gateway.ask(get(USAGE, f"Cookie: {COOKIE}=base64-{b64url(forged)}"))
    assert answer.status == 200
    (line,) = eventually(lambda: [line for line in gateway.access_lines() if line["request_id"] == answer.get("X-Request-ID")],
                         "the request in the log")
    assert line["owner"] == BOB


def test_a_cookie_of_twenty_kilobytes_is_read(gateway):
    assert status(gateway, "Cookie: other=" + "x" * 20_000 + "; " + signed_in()[8:]) == 200


def test_no_cookie_is_in_a_log(gateway):
    line = signed_in()
    assert status(gateway, line) == 200
    for text in (gateway.log_text(), (gateway.folder / "access").read_text()):
        assert line[40:80] not in text


# The token


@pytest.mark.parametrize("changes", [
    {"iss": "https://other.supabase.co/auth/v1"}, {"iss": None}, {"aud": "anon"}, {"aud": []}, {"aud": None}, {"role": "service_role"},
    {"role": "anon"}, {"role": None}, {"sub": "not-a-uuid"}, {"sub": None}, {"sub": ""}, {"session_id": None},
    {"nbf": time.time() + 3600}, {"iat": int(time.time()) + 3600}, {"exp": None}, {"exp": "9999999999"}, {"exp": -1}, {"sub": 7}])
def test_claims_that_are_not_ours_are_refused(gateway, changes):
    assert refusal(gateway, signed_in(**changes)) == "session_invalid"


@pytest.mark.parametrize("changes", [{"aud": ["other", "authenticated"]}, {"is_anonymous": True}, {"phone": "", "amr": ["password"]}])
def test_claims_that_are_fine(gateway, changes):
    assert status(gateway, signed_in(**changes)) == 200


@pytest.mark.parametrize("claim, seconds_from_now", [("nbf", 20), ("iat", 30), ("exp", -10)])
def test_clocks_may_differ_a_little(gateway, claim, seconds_from_now):
    assert status(gateway, signed_in(**{claim: time.time() + seconds_from_now})) == 200


def test_an_expired_session_says_so(gateway):
    assert refusal(gateway, signed_in(exp=int(time.time()) - 60)) == "session_expired"


def test_the_public_anon_key_is_no_session(gateway):
    now = int(time.time())
    for role in ("anon", "service_role"):
        token = hs256({"iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role, "iat": now, "exp": now + 10**8})
        assert refusal(gateway, cookie(token)) == "session_invalid"


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None"}, {"alg": "HS512"}, {"alg": "RS256"}, {"alg": "ES256"},
                                    {"alg": "HS256", "crit": ["exp"]}, {"alg": "HS256", "typ": "JOSE"}, {"typ": "JWT"}, {"alg": 1}, []])
def test_other_headers_are_refused(gateway, header):
    # Well formed, signed with the right secret as HS256 would be: only the header is wrong.
    assert status(gateway, cookie(hs256(claims(), header=header))) == 401


def test_tokens_that_were_touched_are_refused(gateway):
    head, payload, signature = hs256(claims()).split(".")
    other = hs256(claims(BOB)).split(".")[1]
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (f"{head}.{other}.{signature}", f"{head}.{payload}.{flipped}", f"{head}.{payload}.", f"{head}.{payload}",
                  f"{head}.{payload}.{signature}.x", f"{head}.{payload}.{signature}=", "", ".."):
        assert status(gateway, cookie(token)) == 401
    assert status(gateway, cookie(hs256(claims(), secret="another secret"))) == 401


def test_the_key_id_of_a_token_with_the_shared_secret_does_not_matter(gateway):
    assert status(gateway, cookie(hs256(claims(), header={"alg": "HS256", "kid": "abc", "typ": "JWT"}))) == 200
