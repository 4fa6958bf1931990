"""Limits on what a client may send, hold and take, and that peers who are slow or many cost little."""

import collections
import concurrent.futures
import json
import resource
import time

import pytest

from harness import (Ended, Gateway, chat_body, eventually, gateway_fixture, get, mock,  # noqa: F401
                     needs_binary, post)

pytestmark = needs_binary

CHAT = "/api/v1/chat/completions"
KIB = 1024
gateway = gateway_fixture()
fresh = gateway_fixture(scope="function")  # where memory is measured: what was used before hides what is used now


def refused(connection, status, code):
    answer = connection.read()
    assert answer.status == status, answer
    assert answer.error()["code"] == code
    assert answer.interim == [] and answer.closes
    connection.expect_close()


# L-01, L-02: heads


@pytest.mark.parametrize("size, status", [(8_192, 404), (8_193, 414), (65_536, 414), (1_000_000, 414)])
def test_a_long_target_is_414(gateway, size, status):
    with gateway.connect() as connection:
        connection.send(get("/" + "a" * (size - 1)))
        if status == 404:
            assert connection.read().status == 404
        else:
            refused(connection, 414, "URI_TOO_LONG")


def test_an_endless_target_is_refused_before_its_end(gateway):
    with gateway.connect() as connection:
        connection.send("GET /" + "a" * 9_000)  # and no line end
        refused(connection, 414, "URI_TOO_LONG")


@pytest.mark.parametrize("size, status", [(32 * KIB, 200), (32 * KIB + 1, 431), (64 * KIB, 431), (1_000_000, 431)])
def test_a_large_head_is_431(gateway, size, status):
    request = get("/api/health", "X-A: ")
    request = get("/api/health", "X-A: " + "a" * (size - len(request)))
    assert len(request) == size
    with gateway.connect() as connection:
        connection.send(request)
        if status == 200:
            assert connection.read().status == 200
        else:
            refused(connection, 431, "HEADER_FIELDS_TOO_LARGE")


@pytest.mark.parametrize("count, status", [(100, 200), (101, 431), (5_000, 431)])
def test_too_many_fields_are_431(gateway, count, status):
    with gateway.connect() as connection:
        connection.send(get("/api/health", *(f"X-{i}: a" for i in range(count - 1))))  # and Host
        if status == 200:
            assert connection.read().status == 200
        else:
            refused(connection, 431, "HEADER_FIELDS_TOO_LARGE")


def test_an_endless_head_costs_no_memory(fresh):
    gateway = fresh
    gateway.ask(get("/api/health"))
    before = gateway.rss_kib()
    for _ in range(20):
        with gateway.connect() as connection:
            connection.send(get("/api/health")[:-2])
            for _ in range(64):
                connection.send("X-A: " + "a" * 16_000 + "\r\n")
            refused(connection, 431, "HEADER_FIELDS_TOO_LARGE")
    assert gateway.rss_kib() - before < 4_096


# L-03, L-04: bodies

LIMIT = 32 * KIB * KIB


def padded(size):
    """A completion of exactly `size` octets."""
    empty = chat_body(user="")
    return chat_body(user="a" * (size - len(empty)))


def test_a_body_of_the_limit_is_served(gateway):
    with gateway.connect(patience=100) as connection:
        assert connection.send(post(CHAT, padded(LIMIT), gateway.authorization)).read().status == 200


def test_a_body_over_the_limit_is_413_before_it_is_read(gateway):
    before = gateway.upstream_requests()
    with gateway.connect() as connection:
        connection.send(get(CHAT, gateway.authorization, f"Content-Length: {LIMIT + 1}", method="POST"))
        refused(connection, 413, "PAYLOAD_TOO_LARGE")
    assert gateway.upstream_requests() == before


def test_a_client_that_sends_all_of_a_body_over_the_limit_can_read_the_413(gateway):
    with gateway.connect() as connection:
        connection.send(post(CHAT, b"x" * (33 * KIB * KIB), gateway.authorization))
        refused(connection, 413, "PAYLOAD_TOO_LARGE")


def test_a_chunked_body_over_the_limit_is_413_at_the_limit(gateway):
    before = gateway.upstream_requests()
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with gateway.connect() as connection:
        connection.send(get(CHAT, gateway.authorization, "Transfer-Encoding: chunked", method="POST"))
        connection.send(chunk * 512)
        connection.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.receive()  # the limit itself is allowed
        connection.socket.settimeout(20)
        connection.send(chunk)
        refused(connection, 413, "PAYLOAD_TOO_LARGE")
    assert gateway.upstream_requests() == before


@pytest.mark.memory
def test_memory_of_large_bodies_is_given_back(fresh):
    gateway = fresh
    body = padded(8 * KIB * KIB)
    gateway.ask(post(CHAT, body, gateway.authorization))
    before = gateway.rss_kib()
    for _ in range(10):
        assert gateway.ask(post(CHAT, body, gateway.authorization)).status == 200
    assert gateway.rss_kib() - before < 32 * KIB


def test_an_announced_body_costs_no_memory_before_it_comes(fresh):
    gateway = fresh
    before = gateway.rss_kib()
    connections = [gateway.connect() for _ in range(100)]
    for connection in connections:
        connection.send(get(CHAT, gateway.authorization, f"Content-Length: {LIMIT}", method="POST"), b"{")
    eventually(lambda: gateway.connections() >= 100, "the connections")
    assert gateway.rss_kib() - before < 16 * KIB
    for connection in connections:
        connection.close()


# L-07, L-08, L-11: peers that are slow

hasty = gateway_fixture(settings={
    "limits.header_timeout": "600ms", "limits.body_timeout": "700ms", "limits.idle_timeout": "900ms",
    "limits.write_timeout": "800ms"})


def trickle(connection, pieces, pause=0.05):
    """Sends piece after piece until the server answers or closes. Returns the seconds that took."""
    start = time.monotonic()
    for piece in pieces:
        connection.send(piece)
        connection.socket.settimeout(pause)
        try:
            connection.receive()
            break
        except TimeoutError:
            continue
        except Ended:
            break
    connection.socket.settimeout(20)
    return time.monotonic() - start


def test_headers_that_come_slowly_are_408(hasty):
    with hasty.connect() as connection:
        took = trickle(connection, [get("/api/health")[:-2]] + [f"X-{i}: a\r\n" for i in range(200)])
        refused(connection, 408, "REQUEST_TIMEOUT")
        assert 0.5 < took < 5


def test_headers_that_stop_are_408(hasty):
    with hasty.connect() as connection:
        connection.send("GET /api/hea")
        refused(connection, 408, "REQUEST_TIMEOUT")


def test_the_header_deadline_holds_for_the_second_request_too(hasty):
    with hasty.connect() as connection:
        connection.send(get("/api/health"), "GET /api")
        assert connection.read().status == 200
        refused(connection, 408, "REQUEST_TIMEOUT")


def test_a_body_that_stops_is_408(hasty):
    before = hasty.upstream_requests()
    for fields, body in ((["Content-Length: 100"], b"{"), (["Transfer-Encoding: chunked"], b"5\r\n{")):
        with hasty.connect() as connection:
            connection.send(get(CHAT, hasty.authorization, *fields, method="POST"), body)
            refused(connection, 408, "REQUEST_TIMEOUT")
    assert hasty.upstream_requests() == before


def test_a_body_that_trickles_is_408(hasty):
    with hasty.connect() as connection:
        request = post(CHAT, chat_body(user="a" * 1000), hasty.authorization)
        head, body = request.split(b"\r\n\r\n", 1)
        took = trickle(connection, [head + b"\r\n\r\n"] + [body[i:i + 1] for i in range(len(body))])
        refused(connection, 408, "REQUEST_TIMEOUT")
        assert 0.5 < took < 5


def test_a_body_at_a_moderate_pace_is_served(hasty):
    body = chat_body(user="a" * 20_000)
    with hasty.connect() as connection:
        connection.send(get(CHAT, hasty.authorization, f"Content-Length: {len(body)}", method="POST"))
        trickle(connection, [body[i:i + 800] for i in range(0, len(body), 800)])
        assert connection.read().status == 200


def test_an_idle_connection_is_closed_without_an_answer(hasty):
    with hasty.connect() as fresh, hasty.connect() as used:
        used.send(get("/api/health"))
        assert used.read().status == 200
        assert used.expect_close() == "close"
        assert fresh.expect_close() == "close"


@pytest.mark.parametrize("model, stream", [("torrent", True), ("large", False)])
def test_a_client_that_stops_reading_is_cut_off_and_the_provider_too(hasty, model, stream):
    aborted = hasty.mock.ledger()["aborted"]
    with hasty.connect(receive_buffer=4096) as connection:
        connection.send(hasty.chat(model, stream=stream))
        eventually(lambda: hasty.connections() >= 1, "the connection")
        eventually(lambda: hasty.connections() == 0, "the connection to be cut off")
        if stream:
            eventually(lambda: hasty.mock.ledger()["aborted"] == aborted + 1, "the provider to be told")
        with pytest.raises((Ended, AssertionError)):
            connection.read()


# L-09, L-10: memory for slow readers


@pytest.mark.memory
def test_slow_readers_of_fast_streams_cost_little_memory(fresh):
    gateway = fresh
    gateway.ask(gateway.chat(stream=True))
    before = gateway.rss_kib()
    connections = [gateway.connect(receive_buffer=4096) for _ in range(50)]
    for connection in connections:
        connection.send(gateway.chat("torrent", stream=True))
    for connection in connections:
        assert connection.read_head().status == 200

    def served():
        return gateway.mock.ledger()["tokens_served"]

    def stands_still():
        seen = served()
        time.sleep(0.3)  # a span without progress is what is looked for
        return served() == seen

    eventually(stands_still, "back pressure to reach the provider")
    grown = gateway.rss_kib() - before
    print(f"memory of a stream with a stuck reader: {grown / len(connections):.1f} KiB")
    assert grown / len(connections) < 128
    # Others are served meanwhile.
    assert gateway.ask(gateway.chat()).status == 200
    for connection in connections:
        connection.close()
    eventually(lambda: gateway.connections() == 0, "the streams to end")


def test_slow_readers_of_a_large_answer_cost_no_more_than_a_part_of_it(fresh):
    gateway = fresh
    gateway.ask(gateway.chat("large"))
    before = gateway.rss_kib()
    connections = [gateway.connect(receive_buffer=4096) for _ in range(20)]
    for connection in connections:
        connection.send(gateway.chat("large"))
    for connection in connections:
        assert connection.read_head().status == 200
    grown = gateway.rss_kib() - before
    print(f"memory of a 4 MiB answer with a stuck reader: {grown / len(connections):.1f} KiB")
    assert grown / len(connections) < 4_500
    for connection in connections:
        connection.reset()
    eventually(lambda: gateway.connections() == 0, "the connections to end")


# L-14, L-15, L-18: many connections


def allow_descriptors(wanted):
    """Raises this process's limit, which programs it starts inherit. Returns how many there are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, PermissionError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    return wanted


@pytest.mark.memory
@pytest.mark.watchdog(240)
def test_twenty_thousand_idle_connections_are_held(tmp_path, mock):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(20_000, allow_descriptors(21_000) - 1_000)
    if count < 20_000:
        print(f"only {count} descriptors are allowed here")
    connections = []
    try:
        with Gateway(tmp_path, mock) as gateway:
            gateway.ask(get("/api/health"))
            before = gateway.rss_kib()
            for _ in range(0, count, 500):
                batch = [gateway.connect().send(get("/api/health")) for _ in range(500)]
                connections += batch
                assert [connection.read().status for connection in batch] == [200] * 500
            assert gateway.connections() == count
            each = (gateway.rss_kib() - before) * KIB / count
            print(f"memory of an idle connection: {each:.0f} octets")
            assert each < 4 * KIB
            for connection in connections[::100]:
                connection.expect_open()
            assert gateway.ask(post(CHAT, chat_body(), gateway.authorization)).status == 200
            for connection in connections:
                connection.close()
            eventually(lambda: gateway.connections() == 0, "the connections to end")
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_beyond_the_limit_of_connections_clients_get_503(tmp_path, mock):
    with Gateway(tmp_path, mock, settings={"server.max_connections": 4, "server.shards": 1}) as small:
        held = [small.connect() for _ in range(4)]
        for connection in held:
            connection.send(get("/api/health"))
            assert connection.read().status == 200
        with small.connect() as connection:
            answer = connection.read()
            assert answer.status == 503 and answer.closes and answer.get("Retry-After") == "1"
            assert answer.error()["code"] == "SERVICE_UNAVAILABLE"
            connection.expect_close()
        with small.connect() as connection:
            connection.send(get("/api/health"))
            assert connection.read().status == 503
        held.pop().close()

        def served():
            try:
                return small.ask(get("/api/health")).status == 200
            except Ended:
                return False

        eventually(served, "a place to be free")
        for connection in held:
            connection.expect_open()
            connection.close()


def test_the_listener_survives_the_end_of_descriptors(tmp_path, mock):
    with Gateway(tmp_path, mock, prefix=["prlimit", "--nofile=64:64"], settings={"server.shards": 1}) as small:
        key = small.authorization
        held = []
        for _ in range(80):  # the kernel accepts them all; the gateway cannot take the last ones
            held.append(small.connect())
            held[-1].send(get("/api/health"))
        assert held[0].read().status == 200
        paused = eventually(lambda: [line for line in small.log_lines() if "paused" in json.dumps(line)], "the pause")
        start, used = time.monotonic(), cpu_seconds(small)
        eventually(lambda: time.monotonic() - start > 1.0, "a second")
        assert cpu_seconds(small) - used < 0.5  # it does not spin
        assert len([line for line in small.log_lines() if "paused" in json.dumps(line)]) <= len(paused) + 5
        held[1].read()
        held[1].expect_open()
        for connection in held:
            connection.close()
        assert small.ask(get("/api/health")).status == 200
        assert small.ask(post(CHAT, chat_body(), key)).status == 200


def cpu_seconds(gateway):
    with open(f"/proc/{gateway.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_thousand_connections_at_once_are_all_served(gateway):
    def one(_):
        return gateway.ask(get("/api/health")).status

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert collections.Counter(pool.map(one, range(1000))) == {200: 1000}
