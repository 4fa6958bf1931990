"""Start, signals, drain, and changes while it runs."""

import concurrent.futures
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import (Connection, Ended, Gateway, PATIENCE, binary, chat_body, eventually, gateway_fixture, get,  # noqa: F401
                     mock, needs_binary, post)

pytestmark = needs_binary

CHAT = "/api/v1/chat/completions"


def events(connection):
    """The data of a stream's events, until its proper end."""
    body = b""
    while data := connection.read_chunk():
        body += data
    return [part[6:] for part in body.decode().split("\n\n") if part.startswith("data: ")]


def begin_stream(gateway, model="slow"):
    """A stream of which the first event has come."""
    connection = gateway.connect()
    connection.send(gateway.chat(model, stream=True))
    assert connection.read_head().status == 200
    assert b"data: " in connection.read_chunk()
    return connection


def connects(port):
    try:
        Connection(port).close()
        return True
    except ConnectionRefusedError:
        return False


# P-01: SIGTERM


def test_sigterm_drains_and_no_stream_is_cut(tmp_path, mock):
    with Gateway(tmp_path, mock, settings={"limits.drain_grace": "500ms"}) as gateway:
        key = gateway.new_key()
        gateway._key = key["key"]
        streams = [begin_stream(gateway) for _ in range(20)]
        kept = gateway.connect()
        kept.expect_open()
        plain = gateway.connect()
        plain.send(gateway.chat("slow"))
        assert gateway.admin("/readyz")[0] == 200

        gateway.signal()
        eventually(lambda: gateway.admin("/readyz")[0] == 503, "the end of readiness")
        assert gateway.admin("/livez")[0] == 200
        # Within the grace new connections are served, and told to go elsewhere.
        answer = gateway.ask(gateway.chat())
        assert answer.status == 200 and answer.closes
        kept.send(get("/api/health"))
        assert kept.read().closes
        kept.expect_close()
        eventually(lambda: not connects(gateway.port), "the listener to close")

        for connection in streams:
            assert events(connection)[-1] == "[DONE]"
            connection.expect_close()
        assert plain.read().status == 200
        plain.expect_close()
        assert gateway.wait() == 0, gateway.log_text()
        requests, tokens = gateway.usage()
        assert requests == 22 and tokens == 21 * 20 + 5


def test_an_idle_connection_does_not_hold_up_the_drain(tmp_path, mock):
    with Gateway(tmp_path, mock) as gateway:
        idle = [gateway.connect() for _ in range(5)]
        for connection in idle[1:]:
            connection.expect_open()
        begun = gateway.connect()
        begun.send("GET /api/heal")
        stream = begin_stream(gateway)
        start = time.monotonic()
        gateway.signal()
        for connection in idle:
            connection.expect_close()
        begun.send("th HTTP/1.1\r\nHost: gateway\r\n\r\n")
        answer = begun.read()
        assert answer.status == 200 and answer.closes
        assert events(stream)[-1] == "[DONE]"
        stream.expect_close()  # it was announced as kept, but its client sends nothing more
        assert gateway.wait() == 0
        assert time.monotonic() - start < 8


def test_a_drain_without_clients_ends_at_once(tmp_path, mock):
    with Gateway(tmp_path, mock) as gateway:
        start = time.monotonic()
        gateway.signal()
        assert gateway.wait() == 0
        assert time.monotonic() - start < 3


def test_restarts_under_load_fail_no_request(tmp_path, mock):
    """Requests on fresh connections, as a load balancer makes them: each is answered, or its connection was refused."""
    with Gateway(tmp_path, mock, settings={"limits.drain_grace": "300ms"}) as gateway:
        key = gateway.authorization
        outcomes = []

        def client(_):
            while True:
                try:
                    connection = Connection(gateway.port)
                except ConnectionRefusedError:
                    return
                with connection:
                    try:
                        outcomes.append(connection.send(post(CHAT, chat_body(), key)).read().status)
                    except Ended as end:
                        outcomes.append(end.how)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(client, i) for i in range(8)]
            eventually(lambda: len(outcomes) > 200, "some load")
            gateway.signal()
            for one in running:
                one.result()
        assert gateway.wait() == 0
        failed = [outcome for outcome in outcomes if outcome != 200]
        assert not failed, failed
        assert gateway.usage()[0] == len(outcomes)


# P-02: the deadline


def test_at_the_drain_deadline_streams_end_in_an_error_their_client_can_read(tmp_path, mock):
    with Gateway(tmp_path, mock, settings={"limits.drain_timeout": "1s"}) as gateway:
        key = gateway.authorization
        streams = [begin_stream(gateway, "endless") for _ in range(20)]
        hanging = gateway.connect()
        hanging.send(post(CHAT, chat_body("hanging"), key))
        unread = gateway.connect(receive_buffer=4096)
        unread.send(gateway.chat("torrent", stream=True))
        assert unread.read_head().status == 200
        body_missing = gateway.connect()
        body_missing.send(post(CHAT, chat_body(), key)[:-5])
        start = time.monotonic()
        gateway.signal()
        for connection in streams:
            seen = events(connection)
            error = json.loads(seen[-1])["error"]
            assert error["code"] and error["message"] and "[DONE]" not in seen
            connection.expect_close()
        answer = hanging.read()
        assert answer.status in (502, 503, 504) and answer.closes
        assert gateway.wait() == 0
        assert time.monotonic() - start < 1 + 3 + 1
        requests, tokens = gateway.usage()
        assert requests in (22, 23) and tokens > 20
        eventually(lambda: mock.ledger()["in_progress"] == 0, "the provider's streams to end")


# P-03: hurry


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_now(tmp_path, mock, second):
    with Gateway(tmp_path, mock, settings={"limits.drain_grace": "60s"}) as gateway:
        streams = [begin_stream(gateway, "endless") for _ in range(3)]
        gateway.signal()
        eventually(lambda: gateway.admin("/readyz")[0] == 503, "the drain")
        start = time.monotonic()
        gateway.signal(second)
        assert gateway.wait() == 0
        assert time.monotonic() - start < 3
        assert gateway.usage()[0] == 3
        for connection in streams:
            connection.close()


def test_sigint_drains_without_grace(tmp_path, mock):
    with Gateway(tmp_path, mock, settings={"limits.drain_grace": "60s"}) as gateway:
        stream = begin_stream(gateway)
        gateway.signal(signal.SIGINT)
        eventually(lambda: not connects(gateway.port), "the listener to close")
        assert events(stream)[-1] == "[DONE]"
        assert gateway.wait() == 0


def test_sighup_and_sigpipe_do_not_end_it(tmp_path, mock):
    with Gateway(tmp_path, mock) as gateway:
        gateway.signal(signal.SIGHUP)
        gateway.signal(signal.SIGPIPE)
        eventually(lambda: "SIGHUP is ignored" in gateway.log_text(), "a word about SIGHUP")
        assert gateway.ask(get("/api/health")).status == 200


def test_a_pause_of_the_process_disturbs_nothing(tmp_path, mock):
    with Gateway(tmp_path, mock) as gateway:
        stream = begin_stream(gateway)
        gateway.signal(signal.SIGSTOP)
        until = time.monotonic() + 1
        eventually(lambda: time.monotonic() > until, "a second")
        gateway.signal(signal.SIGCONT)
        assert events(stream)[-1] == "[DONE]"
        stream.expect_open()


# P-06: kill -9


def test_after_kill_9_it_starts_again_at_once_on_the_same_port(tmp_path, mock):
    gateway = Gateway(tmp_path, mock)
    gateway.start()
    try:
        key = gateway.authorization
        stream = begin_stream(gateway, "endless")
        port = gateway.port
        gateway.process.kill()
        gateway.process.wait(PATIENCE)
        gateway.start(f"127.0.0.1:{port}")
        assert gateway.port == port
        assert gateway.ask(post(CHAT, chat_body(), key)).status == 200  # the key is still known
        stream.close()
        gateway.stop()
        assert gateway.usage()[0] >= 1
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait(PATIENCE)


# P-08, P-11: what prevents a start


def serve(gateway, *arguments):
    """Runs `serve`, which must end by itself."""
    return gateway.run("serve", "--admin-listen", "127.0.0.1:0", *arguments)


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = serve(Gateway(tmp_path), "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 69
    assert f"127.0.0.1:{port}" in done.stderr and "Address already in use" in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_two_gateways_do_not_share_a_port(tmp_path, mock, host):
    with Gateway(tmp_path, mock) as first:
        (tmp_path / "second").mkdir()
        second = Gateway(tmp_path / "second", mock)
        for arguments in (["--listen", f"{host}:{first.port}"],
                          ["--listen", "127.0.0.1:0", "--admin-listen", f"{host}:{first.admin_port}"]):
            done = second.run("serve", *(["--admin-listen", "127.0.0.1:0"] if len(arguments) == 2 else []), *arguments)
            assert done.returncode == 69, done.stderr
            assert "another gateway" in done.stderr
        assert first.ask(get("/api/health")).status == 200


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "var").write_text("not a folder")
    done = serve(Gateway(tmp_path), "--listen", "127.0.0.1:0")
    assert done.returncode in (69, 78)
    assert "var" in done.stderr and len(done.stderr.splitlines()) <= 3, done.stderr


@pytest.mark.parametrize("text, word", [
    ("limits.header_timeout = 'soon'", "header_timeout"), ("limits.header_timout = '1s'", "header_timeout"),
    ("server.listen = 'nowhere'", "listen"), ("[server", "concurred.toml"), ("server.shards = -1", "shards"),
    ("limits.body_bytes = true", "body_bytes")])
def test_a_wrong_configuration_is_explained(tmp_path, text, word):
    gateway = Gateway(tmp_path)
    (tmp_path / "concurred.toml").write_text(text + "\n")
    done = gateway.run("serve", "--admin-listen", "127.0.0.1:0")
    assert done.returncode == 78, done.stderr
    assert word in done.stderr


# TLS


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
    done = serve(Gateway(tmp_path, settings=settings), "--listen", "127.0.0.1:0")
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


# Keys that change while the server runs

running = gateway_fixture(settings={"server.shards": 2})


def on_all_shards(gateway, authorization, expected):
    """Whether every one of many fresh connections, which the kernel spreads over the shards, gets that status."""
    statuses = [gateway.ask(get("/api/v1/models", authorization)).status for _ in range(12)]
    return all(status in expected for status in statuses)


def within_a_second(question, what):
    start = time.monotonic()
    eventually(question, what, patience=5)
    took = time.monotonic() - start
    print(f"{what}: {took * 1000:.0f} ms")
    assert took < 1.5  # the second that is promised, and the time to look


def test_a_new_key_works_at_once_even_if_it_was_refused_before(running):
    made = running.new_key()
    authorization = "Authorization: Bearer " + made["key"]
    assert on_all_shards(running, authorization, {200})


def test_a_disabled_key_is_refused_and_an_enabled_one_served_again(running):
    made = running.new_key()
    authorization = "Authorization: Bearer " + made["key"]
    assert on_all_shards(running, authorization, {200})
    running.command("keys", "update", made["keyId"], "--disable")
    within_a_second(lambda: on_all_shards(running, authorization, {401}), "the key to be disabled")
    running.command("keys", "update", made["keyId"], "--enable")
    within_a_second(lambda: on_all_shards(running, authorization, {200}), "the key to be enabled")


def test_a_revoked_key_is_refused(running):
    made = running.new_key()
    authorization = "Authorization: Bearer " + made["key"]
    assert on_all_shards(running, authorization, {200})
    running.command("keys", "revoke", "--yes", made["keyId"])
    within_a_second(lambda: on_all_shards(running, authorization, {401}), "the key to be revoked")


def test_a_new_limit_applies(running):
    made = running.new_key(1_000_000)
    authorization = "Authorization: Bearer " + made["key"]
    assert on_all_shards(running, authorization, {200})

    def limits():
        return {running.ask(get("/api/v1/models", authorization)).all("X-RateLimit-Limit")[0] for _ in range(12)}

    assert limits() == {"1000000"}
    running.command("keys", "update", made["keyId"], "--rate-limit", "500000")
    within_a_second(lambda: limits() == {"500000"}, "the limit to change")
