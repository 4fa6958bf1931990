"""A provider's errors, and providers that cannot be reached: what the client gets for it."""

import json
import shutil
import socket
import subprocess
import time

import pytest

from imposter import Imposter, answer
from mock_provider import MockProvider
from upstream_rig import QUICK, Gateway, Scenarios, eventually, free_port, full_listener, needs_binary, rig

pytestmark = needs_binary

SCENARIOS = Scenarios()
STATUS = {status: SCENARIOS.mock(f"tokens=3;status={status}") for status in (
    400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 424, 429, 451, 500, 501, 502, 503, 504, 520, 524, 529)}
QUOTA = SCENARIOS.mock("status=429;code=insufficient_quota")
WAIT = {header: SCENARIOS.mock("status=429;" + header) for header in (
    "retry-after=7", "retry-after-ms=1500", "retry-after-date=30", "retry-after=99999999999", "retry-after=-5",
    "retry-after=soon")}
OVERLOADED_WAIT = SCENARIOS.mock("status=503;retry-after=3")
REFUSED = SCENARIOS.at(f"http://127.0.0.1:{free_port()}/v1")
UNKNOWN_HOST = SCENARIOS.at("http://no-such-host.invalid/v1", connect_timeout="3s")
RAW = Imposter()
ELSEWHERE = SCENARIOS.at(RAW.base_url)
gateway = rig(SCENARIOS)


@pytest.mark.parametrize(("status", "kept"), [
    (400, 400), (402, 402), (404, 404), (405, 405), (408, 408), (409, 409), (413, 413), (415, 415), (422, 422), (424, 424),
    (429, 429), (451, 451), (500, 502), (501, 502), (502, 502), (503, 503), (504, 504), (520, 502), (524, 504), (529, 503)])
def test_a_status_is_kept_or_mapped(gateway, status, kept):
    name = gateway.name(STATUS[status])
    got = gateway.ask(name)
    assert got.status == kept
    error = got.error()
    assert list(error) == ["code", "message", "type", "param", "details"]
    assert isinstance(error["code"], str) and error["code"] and error["message"]
    assert error["type"] in ("invalid_request_error", "rate_limit_error", "insufficient_quota", "server_error")
    assert (error["type"] == "server_error") == (kept >= 500)
    assert gateway.usage_row(name)["requests"] == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_platform_key_is_not_the_callers_fault(gateway, status):
    got = gateway.ask(gateway.name(STATUS[status]))
    assert got.status == 502
    assert got.error()["code"] == "upstream_authentication_failed"
    assert got.head.get("www-authenticate") is None


def error_body(message, **fields):
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None,
                                 **fields}}).encode()


def test_the_message_param_and_code_of_a_4xx_are_kept(gateway):
    RAW.script = answer(error_body("Unsupported value: 'temperature' – wähle 1.", param="temperature",
                                   code="unsupported_value"), "400 Bad Request")
    error = gateway.ask(gateway.name(ELSEWHERE)).error()
    assert error == {"code": "unsupported_value", "message": "Unsupported value: 'temperature' – wähle 1.",
                     "type": "invalid_request_error", "param": "temperature", "details": {}}


@pytest.mark.parametrize("secret", [
    "sk-proj-abcDEF0123456789abcdef", "sk-elsewhere", "org-A1b2C3d4E5f6", "Bearer abc.def-ghi/jkl", "proj_Ab12Cd34Ef",
    "sk-ab***************wxyz"])
@pytest.mark.parametrize("stream", [False, True])
def test_secrets_in_a_message_are_masked(gateway, secret, stream):
    RAW.script = answer(error_body(f"Bad request from {secret} here."), "400 Bad Request")
    body = gateway.ask(gateway.name(ELSEWHERE), stream=stream).body.decode()
    assert secret not in body and "Bad request" in body
    assert secret not in gateway.log_text()


@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b"[]", b"{", b'{"error":"words"}', b'{"error":{}}',
                                  b'{"error":{"message":7}}', b"\xff\xfe", b'{"message":"m"}', b"x" * 300_000,
                                  b'{"error":{"message":"' + b"long " * 50_000 + b'"}}'])
def test_an_error_of_any_form_gives_a_proper_one(gateway, body):
    RAW.script = answer(body, "400 Bad Request")
    got = gateway.ask(gateway.name(ELSEWHERE))
    assert got.status == 400 and 0 < len(got.error()["message"]) < 5_000
    assert b"nginx" not in got.body


def test_quota_is_told_from_rate(gateway):
    error = gateway.ask(gateway.name(QUOTA)).error()
    assert (error["code"], error["type"]) == ("insufficient_quota", "insufficient_quota")
    assert gateway.ask(gateway.name(STATUS[429])).error()["type"] == "rate_limit_error"


@pytest.mark.parametrize(("header", "least", "most"), [
    ("retry-after=7", 7, 7), ("retry-after-ms=1500", 2, 2), ("retry-after-date=30", 28, 31)])
@pytest.mark.parametrize("stream", [False, True])
def test_retry_after_is_passed_on(gateway, header, least, most, stream):
    got = gateway.ask(gateway.name(WAIT[header]), stream=stream)
    assert got.status == 429
    assert least <= int(got.head["retry-after"]) <= most
    assert 1000 * (least - 1) < int(got.head["retry-after-ms"]) <= 1000 * most


def test_retry_after_comes_with_a_503_too(gateway):
    got = gateway.ask(gateway.name(OVERLOADED_WAIT))
    assert (got.status, got.head["retry-after"], got.error()["code"]) == (503, "3", "upstream_overloaded")


@pytest.mark.parametrize("header", ["retry-after=99999999999", "retry-after=-5", "retry-after=soon"])
def test_a_retry_after_without_sense_is_clamped_or_left_out(gateway, header):
    wait = gateway.ask(gateway.name(WAIT[header])).head.get("retry-after")
    assert wait is None or 0 < int(wait) <= 86_400


def test_a_refused_connection_is_a_502_at_once(gateway):
    name = gateway.name(REFUSED)
    begun = time.monotonic()
    got = gateway.ask(name)
    assert time.monotonic() - begun < 2
    assert got.status == 502 and "refused" in got.error()["message"]
    assert gateway.usage_row(name)["requests"] == 1
    assert gateway.access_line(name)["duration_ms"] < 1000


@pytest.mark.parametrize("stream", [False, True])
def test_a_host_that_does_not_exist_is_an_error_of_the_provider(gateway, stream):
    got = gateway.ask(gateway.name(UNKNOWN_HOST), stream=stream)
    assert got.status in (502, 504) and "no-such-host" not in got.head.text.decode()
    assert got.error()["code"] in ("UPSTREAM_ERROR", "UPSTREAM_TIMEOUT")


def test_a_provider_that_does_not_accept_runs_into_connect_timeout(tmp_path):
    with full_listener() as (port, _):
        scenarios = Scenarios()
        silent = scenarios.at(f"http://127.0.0.1:{port}/v1", connect_timeout="300ms")
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            begun = time.monotonic()
            got = gateway.ask(gateway.name(silent))
            assert 0.25 <= time.monotonic() - begun < 10
            assert got.status == 504 and "connect_timeout" in got.error()["message"]


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def make(name, subject_name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-days", "2", "-subj", "/CN=mock",
                        "-addext", f"subjectAltName={subject_name}"], check=True, capture_output=True)

    make("right", "IP:127.0.0.1")
    make("wrong", "DNS:elsewhere.example")
    return folder


def test_a_provider_that_cannot_be_verified_gets_nothing(tmp_path, certificates):
    def flags(name):
        return "--keep-bodies", "--tls-cert", str(certificates / f"{name}.pem"), "--tls-key", str(certificates / f"{name}.key")

    with MockProvider(*flags("right")) as right, MockProvider(*flags("wrong")) as wrong:
        scenarios = Scenarios()
        trusted = scenarios.at(right.base_url, ca_file=str(certificates / "right.pem"))
        self_signed = scenarios.at(right.base_url)
        wrong_name = scenarios.at(wrong.base_url, ca_file=str(certificates / "wrong.pem"))
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            for provider, mock in ((self_signed, right), (wrong_name, wrong)):
                got = gateway.ask(gateway.name(provider))
                assert got.status == 502 and "TLS" in got.error()["message"], got.body
                assert mock.ledger()["requests"] == 0
            for stream in (False, True, False):
                got = gateway.ask(gateway.name(trusted), stream=stream)
                assert got.status == 200, got.body
            assert right.ledger()["requests"] == 3
            assert got.head["server-timing"]
            large = "x" * (1 << 20)
            assert gateway.ask(gateway.name(trusted), user=large).status == 200
            got = gateway.ask(f"{trusted}/mock-tokens:20000", stream=True)
            assert got.events()[-1] == "[DONE]" and got.ended == "whole"


def test_a_tls_handshake_that_stalls_or_breaks_ends_in_time(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent, Imposter() as plain:
        plain.script = b""
        scenarios = Scenarios()
        stalled = scenarios.at(f"https://127.0.0.1:{silent.getsockname()[1]}/v1", connect_timeout="300ms")
        with Gateway(tmp_path, scenarios, None, QUICK) as gateway:
            got = gateway.ask(gateway.name(stalled))
            assert got.status == 504 and "connect_timeout" in got.error()["message"]
            assert "TLS handshake" in got.error()["message"]
            call = gateway.start(gateway.name(stalled))
            connection = eventually(lambda: silent.accept()[0])
            connection = silent.accept()[0]
            connection.close()
            assert call.read_all().status in (502, 504)
