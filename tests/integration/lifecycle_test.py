"""Start, signals, drain, and changes while it runs."""

import concurrent.futures
import json
import signal
import socket
import time

import pytest

from harness import (Connection, Ended, Gateway, PATIENCE, begin_stream, chat_body, eventually, events, get,  # noqa: F401
                     mock, needs_binary, post)

pytestmark = needs_binary

CHAT = "/api/v1/chat/completions"


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
