"""Sessions signed with a project's own keys: the key set is fetched, followed and never believed beyond what it may say."""

import concurrent.futures
import hashlib
import hmac
import json

import pytest

import sessions
from harness import Gateway, get, needs_binary
from sessions import BOB, b64url, claims

pytestmark = needs_binary
keys = pytest.importorskip("signing_keys", reason="python3-cryptography is not installed")

COOKIE = "sb-127-auth-token"
USAGE = "/api/v1/usage"


@pytest.fixture(scope="module")
def ec_key():
    return keys.EcKey("ec-1")


@pytest.fixture(scope="module")
def rsa_key():
    return keys.RsaKey("rsa-1")


@pytest.fixture
def project(ec_key, rsa_key):
    with keys.KeySet(ec_key, rsa_key) as running:
        yield running


@pytest.fixture
def gateway(tmp_path, project):
    with Gateway(tmp_path, settings={"supabase.url": project.url, "server.shards": 1}) as running:
        yield running


def ask(gateway, token):
    return gateway.ask(get(USAGE, sessions.cookie(token, COOKIE)))


def test_both_kinds_of_keys_sign_sessions_and_the_set_is_fetched_once(gateway, project, ec_key, rsa_key):
    for key in (ec_key, rsa_key, ec_key, rsa_key):
        assert ask(gateway, keys.token(key, claims(project=project.url))).status == 200
    assert project.fetches == 1


def test_requests_that_come_together_wait_for_one_fetch(gateway, project, ec_key):
    project.delay = 0.3
    token = keys.token(ec_key, claims(project=project.url))
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: ask(gateway, token).status, range(12)))
    assert answers == [200] * 12 and project.fetches == 1


def test_a_flood_of_made_up_key_ids_is_no_flood_of_fetches(gateway, project, ec_key):
    assert ask(gateway, keys.token(ec_key, claims(project=project.url))).status == 200
    for number in range(40):
        answer = ask(gateway, keys.token(ec_key, claims(project=project.url), kid=f"made-up-{number}"))
        assert answer.status == 401
    assert project.fetches == 2  # one for all of them


def test_a_token_without_a_key_id_is_checked_with_the_keys_of_its_algorithm(gateway, project, ec_key):
    signed = b64url(json.dumps({"alg": "ES256"})) + "." + b64url(json.dumps(claims(project=project.url)))
    assert ask(gateway, signed + "." + b64url(ec_key.sign(signed.encode()))).status == 200


def test_the_algorithm_is_the_key_s_and_not_the_token_s(gateway, project, ec_key, rsa_key):
    payload = claims(project=project.url)
    assert ask(gateway, keys.token(ec_key, payload)).status == 200
    # The public key as a shared secret: what every page of the key set can do.
    public = keys.pem(rsa_key)
    for kid in ("rsa-1", "ec-1"):
        signed = b64url(json.dumps({"alg": "HS256", "kid": kid})) + "." + b64url(json.dumps(payload))
        for secret in (public, rsa_key.jwk()["n"].encode(), json.dumps(rsa_key.jwk()).encode()):
            forged = signed + "." + b64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
            assert ask(gateway, forged).status == 401
    assert ask(gateway, keys.token(ec_key, payload, kid="rsa-1")).status == 401
    assert ask(gateway, keys.token(rsa_key, payload, kid="ec-1")).status == 401
    assert ask(gateway, keys.token(rsa_key, payload, alg="ES256")).status == 401
    assert ask(gateway, keys.token(ec_key, payload, alg="none")).status == 401


def test_a_key_in_the_token_s_own_header_is_not_looked_at(gateway, project, ec_key):
    mine = keys.EcKey("ec-1")
    payload = claims(BOB, project=project.url)
    assert ask(gateway, keys.token(mine, payload, jwk=mine.jwk())).status == 401
    assert ask(gateway, keys.token(mine, payload, jku=project.url + "/mine.json", x5u=project.url)).status == 401
    assert ask(gateway, keys.token(mine, payload, kid="other", jwk=mine.jwk())).status == 401


def test_signatures_of_another_form_are_refused(gateway, project, ec_key):
    head, payload, signature = keys.token(ec_key, claims(project=project.url)).split(".")
    raw = sessions.base64.urlsafe_b64decode(signature + "==")
    der = ec_key.private.sign(f"{head}.{payload}".encode(), keys.ec.ECDSA(keys.hashes.SHA256()))
    for forged in (der, raw[:-1], raw + b"\0", b"\0" * 64, raw[:32] + b"\0" * 32, b"\0" + raw):
        assert ask(gateway, f"{head}.{payload}.{b64url(forged)}").status == 401
    assert ask(gateway, f"{head}.{payload}.{signature}").status == 200


def test_keys_take_turns_while_the_gateway_runs(gateway, project, ec_key):
    """Standby, in use, previously used, revoked: identity.md 3.4."""
    mine, theirs, third = claims(project=project.url), keys.EcKey("ec-2"), keys.EcKey("ec-3")
    assert ask(gateway, keys.token(ec_key, mine)).status == 200 and project.fetches == 1
    project.keys = [ec_key.jwk(), theirs.jwk()]
    for key in (theirs, ec_key, theirs):  # the new one is fetched for, the one before it still counts
        assert ask(gateway, keys.token(key, mine)).status == 200
    assert project.fetches == 2
    project.keys = [third.jwk()]
    assert ask(gateway, keys.token(third, mine)).status == 401  # fetched for an unknown key a moment ago
    assert ask(gateway, keys.token(theirs, mine)).status == 200
    assert project.fetches == 2


def test_a_key_that_was_taken_out_of_the_set_counts_no_longer_once_the_set_is_fetched(gateway, project, ec_key, rsa_key):
    assert ask(gateway, keys.token(ec_key, claims(project=project.url))).status == 200
    new = keys.RsaKey("rsa-2")
    project.keys = [new.jwk()]
    assert ask(gateway, keys.token(new, claims(project=project.url))).status == 200
    for revoked in (ec_key, rsa_key):
        assert ask(gateway, keys.token(revoked, claims(project=project.url))).status == 401
    assert project.fetches == 2


def test_the_keys_of_a_set_that_was_empty_are_found(tmp_path, project, ec_key):
    # A gateway that starts while the set is empty, as that of a project with only a shared secret is.
    project.keys = []
    with Gateway(tmp_path, settings={"supabase.url": project.url, "server.shards": 1}) as gateway:
        assert ask(gateway, keys.token(ec_key, claims(project=project.url), kid="another")).status == 401
        project.keys = [ec_key.jwk()]
        assert ask(gateway, keys.token(ec_key, claims(project=project.url))).status == 200
        assert project.fetches == 2


def test_keys_that_may_not_check_sessions_are_passed_over(tmp_path, ec_key):
    small = keys.RsaKey("small", 1024)
    secret = {"kty": "oct", "kid": "oct", "alg": "HS256", "use": "sig", "k": b64url("public secret")}
    x, y = ec_key.jwk()["x"], ec_key.jwk()["y"]
    rows = [ec_key.jwk(kid="enc", use="enc"), ec_key.jwk(kid="ops", key_ops=["encrypt"]), ec_key.jwk(kid="alg", alg="ES384"),
            ec_key.jwk(kid="off", x=y, y=x), small.jwk(), secret, {"kty": "EC"}, "text", None]
    with keys.KeySet(*[row if isinstance(row, dict) else {"kid": "x"} for row in rows]) as project:
        with Gateway(tmp_path, settings={"supabase.url": project.url}) as gateway:
            payload = claims(project=project.url)
            for kid in ("enc", "ops", "alg", "off"):
                assert ask(gateway, keys.token(ec_key, payload, kid=kid)).status == 401
            assert ask(gateway, keys.token(small, payload)).status == 401
            assert ask(gateway, sessions.hs256(payload, secret="public secret", header={"alg": "HS256", "kid": "oct"})).status == 401


@pytest.mark.parametrize("broken", [500, 404, b"", b"[]", b"not json", b'{"keys": 7}', b'{"keys": []} ' + b" " * 70_000])
def test_without_a_key_set_nobody_is_called_invalid(tmp_path, project, ec_key, broken):
    project.broken = broken
    with Gateway(tmp_path, settings={"supabase.url": project.url, "server.shards": 1}) as gateway:
        answer = ask(gateway, keys.token(ec_key, claims(project=project.url)))
        assert answer.status == 503 and int(answer.get("Retry-After")) > 0
        assert gateway.ask(get(USAGE, gateway.authorization)).status == 200  # keys do not need it
        assert gateway.ask(get(USAGE)).status == 401


def test_a_shared_secret_beside_the_key_set_is_for_migration(tmp_path, project, ec_key):
    settings = {"supabase.url": project.url, "supabase.jwks_url": project.url + "/auth/v1/.well-known/jwks.json",
                "supabase.jwt_secret": sessions.SECRET}
    with Gateway(tmp_path, settings=settings) as gateway:
        payload = claims(project=project.url)
        assert ask(gateway, keys.token(ec_key, payload)).status == 200
        assert ask(gateway, sessions.hs256(payload)).status == 200
        assert ask(gateway, sessions.hs256(payload, secret="other")).status == 401


def test_a_shared_secret_alone_fetches_nothing(tmp_path, project, ec_key):
    with Gateway(tmp_path, settings={"supabase.url": project.url, "supabase.jwt_secret": sessions.SECRET}) as gateway:
        assert ask(gateway, sessions.hs256(claims(project=project.url))).status == 200
        assert ask(gateway, keys.token(ec_key, claims(project=project.url))).status == 401
    assert project.fetches == 0


def test_the_key_set_is_not_fetched_in_plain_from_another_machine(tmp_path):
    gateway = Gateway(tmp_path, settings={"supabase.url": "http://project.example.com"})
    done = gateway.run("check-config")
    assert done.returncode == 78 and "https://" in done.stderr + done.stdout
