"""The TLS listener."""

import ssl
import subprocess
import time

import pytest

from harness import (Connection, Ended, Gateway, PATIENCE, begin_stream, chat_body, eventually, events, get,  # noqa: F401
                     mock, needs_binary, post)

pytestmark = needs_binary

CHAT = "/api/v1/chat/completions"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    for name in ("cert", "other"):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{name}.key",
                "-out", f"{name}.pem")
    return folder


def tls_settings(certificate, key="cert.key"):
    return {"server.tls_certificate": str(certificate / "cert.pem"), "server.tls_key": str(certificate / key)}


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate / "cert.pem")


@pytest.mark.parametrize("wrong", ["missing", "garbage", "mismatch", "only-certificate"])
def test_a_bad_certificate_prevents_the_start(tmp_path, certificate, wrong):
    settings = tls_settings(certificate)
    if wrong == "missing":
        settings["server.tls_certificate"] = str(tmp_path / "nowhere.pem")
    elif wrong == "garbage":
        (tmp_path / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        settings["server.tls_certificate"] = str(tmp_path / "garbage.pem")
    elif wrong == "mismatch":
        settings = tls_settings(certificate, "other.key")
    else:
        del settings["server.tls_key"]
    done = Gateway(tmp_path, settings=settings).run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    assert done.returncode == 78, done.stderr
    assert "tls" in done.stderr.lower() or "certificate" in done.stderr.lower()
    assert "PRIVATE KEY" not in done.stderr


@pytest.fixture(scope="module")
def secure(tmp_path_factory, mock, certificate):
    with Gateway(tmp_path_factory.mktemp("gateway"), mock, settings=tls_settings(certificate),
                 tls=trusting(certificate)) as running:
        yield running


def test_tls_serves_plain_answers_streams_and_pipelines(secure):
    with secure.connect() as connection:
        assert connection.socket.version() == "TLSv1.3"
        connection.send(secure.chat(), secure.chat(stream=True), get("/api/health"))
        assert connection.read().status == 200
        assert connection.read().body.endswith(b"data: [DONE]\n\n")
        assert connection.read().status == 200
        body = chat_body(user="a" * 300_000)
        connection.send(post(CHAT, body, secure.authorization))
        assert connection.read().status == 200
        connection.send(secure.chat("large"))
        assert len(connection.read().body) > 4_000_000


def test_tls_1_2_is_served_and_1_1_refused(secure, certificate):
    context = trusting(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Connection(secure.port, tls=context) as connection:
        assert connection.socket.version() == "TLSv1.2"
        connection.expect_open()
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}", "-tls1_1", "-cipher", "ALL@SECLEVEL=0"],
                          input=b"", capture_output=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert b"alert" in done.stderr, done.stderr


def test_http_on_the_tls_port_is_closed(secure):
    with Connection(secure.port) as connection:
        connection.send(get("/api/health"))
        try:
            while True:
                connection.receive()
        except Ended as end:
            assert b"HTTP" not in end.rest


def test_a_handshake_that_never_comes_is_given_up(secure):
    with Connection(secure.port) as connection:
        start = time.monotonic()
        connection.expect_close(patience=15)
        assert 4 < time.monotonic() - start < 12


@pytest.mark.parametrize("how", ["close", "reset", "notify"])
def test_a_tls_client_that_leaves_stops_the_provider(secure, how):
    before = secure.mock.ledger()["aborted"]
    connection = begin_stream(secure, "endless")
    if how == "close":
        connection.close()
    elif how == "reset":
        connection.reset()
    else:
        connection.socket.settimeout(0.2)
        try:
            connection.socket.unwrap()  # close_notify; the answer to it is not waited for
        except (OSError, ssl.SSLError):
            pass
        connection.socket.close()
    eventually(lambda: secure.mock.ledger()["aborted"] == before + 1, "the provider to be stopped")


def test_a_tls_connection_is_closed_properly(secure):
    with secure.connect() as connection:
        connection.send(get("/api/health", "Connection: close"))
        assert connection.read().closes
        assert connection.expect_close() == "close"  # with close_notify: no truncation


def test_sigterm_drains_tls_too(tmp_path, mock, certificate):
    with Gateway(tmp_path, mock, settings=tls_settings(certificate), tls=trusting(certificate)) as gateway:
        idle = gateway.connect()
        idle.expect_open()
        stream = begin_stream(gateway)
        gateway.signal()
        assert events(stream)[-1] == "[DONE]"
        idle.expect_close()
        assert gateway.wait() == 0
