"""Every fault of the mock provider is seen on the wire."""

import email.utils
import http.client
import json
import time

import pytest

from mock_provider import MockProvider, binary, read_all, read_until

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")


@pytest.fixture(scope="module")
def shared():
    with MockProvider() as provider:
        yield provider


@pytest.fixture
def mock(shared):
    shared.call("POST", "/mock/reset")
    return shared


def body_of(received):
    return received.split(b"\r\n\r\n", 1)[1]


def test_status_429_with_its_headers(mock):
    answer = mock.chat("status=429;retry-after=2;retry-after-ms=1500;should-retry=false")
    assert answer.status == 429
    assert answer.headers["retry-after"] == "2" and answer.headers["retry-after-ms"] == "1500"
    assert answer.headers["x-should-retry"] == "false"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "requests" and error["code"] == "rate_limit_exceeded" and "mock-status" in error["message"]


def test_status_429_about_money(mock):
    error = mock.chat("status=429;code=insufficient_quota").json()["error"]
    assert error["type"] == "insufficient_quota" and error["code"] == "insufficient_quota"


def test_retry_after_as_a_date(mock):
    value = mock.chat("status=503;retry-after-date=30").headers["retry-after"]
    assert 20 < email.utils.parsedate_to_datetime(value).timestamp() - time.time() < 40


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 418, 422, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("stream", [False, True])
def test_any_error_status_has_openais_body(mock, status, stream):
    answer = mock.chat(f"status={status}", stream=stream)
    assert answer.status == status and answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["type"] == ("server_error" if status >= 500 else "invalid_request_error")


def test_faults_can_be_limited_to_the_first_or_every_nth_request(mock):
    assert [mock.chat("status=503;times=2").status for _ in range(4)] == [503, 503, 200, 200]
    assert [mock.chat("status=503;every=3").status for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    assert [mock.chat("status=503;times=1;tag=b").status for _ in range(2)] == [503, 200]
    mock.call("POST", "/mock/reset")
    assert [mock.chat("status=503;times=1;tag=b").status for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault,end", [("reset-after", "reset"), ("close-after", "close")])
def test_broken_off_before_any_byte(mock, fault, end, stream):
    with mock.raw(fault + "=0", stream=stream) as connection:
        assert read_all(connection) == (b"", end)
    assert mock.ledger_when(lambda ledger: ledger["broken"] == 1)["completed"] == 0


@pytest.mark.parametrize("fault,end", [("reset-after", "reset"), ("close-after", "close")])
def test_broken_off_in_the_stream(mock, fault, end):
    # Gaps, because a reset may overtake what the receiver has not read yet.
    with mock.raw(f"{fault}=3;gap=20ms", stream=True) as connection:
        received, ended = read_all(connection)
    assert ended == end and received.count(b"data: ") == 3
    assert not received.endswith(b"0\r\n\r\n") and b"[DONE]" not in received


def test_broken_off_in_a_plain_answer(mock):
    with mock.raw("close-after=1") as connection:
        received, ended = read_all(connection)
    assert ended == "close"
    head, body = received.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < length


def test_a_stalled_stream_waits_for_the_peer_to_go(mock):
    with mock.raw("stall-after=2", stream=True) as connection:
        assert read_until(connection, b'"content":"').count(b"data: ") >= 1
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            while connection.recv(65536):
                pass
    (abort,) = mock.ledger_when(lambda ledger: ledger["aborted"] == 1)["aborts"]
    assert abort["events"] == 2 and abort["tokens"] == 1 and abort["stage"] == "streaming"


@pytest.mark.parametrize("spec", ["hang", "stall-after=0"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_hanging_request_gets_no_byte(mock, spec, stream):
    with mock.raw(spec, stream=stream) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert mock.ledger_when(lambda ledger: ledger["aborted"] == 1)["aborts"][0]["stage"] == "waiting"


def test_garbage_is_not_http(mock):
    with mock.raw("garbage") as connection:
        received, ended = read_all(connection)
    assert ended == "close" and received and not received.startswith(b"HTTP/")


def test_no_done(mock):
    events = mock.chat("tokens=2;no-done", stream=True).events()
    assert "[DONE]" not in events and events[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("after", [0, 3])
def test_an_error_in_the_stream(mock, after):
    answer = mock.chat(f"error-frame={after}", stream=True)
    events = answer.events()
    assert answer.status == 200 and len(events) == after + 1
    assert events[-1]["error"]["type"] == "server_error"


def test_a_huge_line(mock):
    events = mock.chat("tokens=3;huge-line=2m", stream=True).events()
    assert [len(e["choices"][0]["delta"]["content"]) for e in events[1:4]] == [2 * 1024 * 1024, 4, 4]


def test_a_bad_chunk_size(mock):
    with pytest.raises(http.client.IncompleteRead):
        mock.chat("bad-chunk", stream=True)
    with mock.raw("bad-chunk=1", stream=True) as connection:
        received, _ = read_all(connection)
    assert received.count(b'"id"') == 1 and b"\r\nzz\r\n" in received


def test_no_usage(mock):
    assert "usage" not in mock.chat("no-usage").json()
    events = mock.chat("tokens=1;no-usage", stream=True, stream_options={"include_usage": True}).events()
    assert all(e["usage"] is None for e in events[:-1])


def test_html_json_and_sse_where_they_do_not_belong(mock):
    page = mock.chat("html", stream=True)
    assert page.status == 200 and page.headers["content-type"].startswith("text/html") and b"<h1>" in page.body
    assert mock.chat("json-instead", stream=True).json()["object"] == "chat.completion"
    assert mock.chat("sse-instead").events()[-1] == "[DONE]"


def test_a_redirect_that_is_followed_is_counted(mock):
    answer = mock.chat("redirect")
    assert answer.status == 307 and answer.headers["location"] == f"http://127.0.0.1:{mock.port}/mock/redirected"
    assert mock.chat("redirect=301").status == 301
    assert mock.ledger()["redirects_followed"] == 0
    mock.call("POST", "/mock/redirected")
    assert mock.ledger()["redirects_followed"] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_second_answer_nobody_asked_for(mock, stream):
    with mock.raw("tokens=1;extra-bytes", stream=stream) as connection:
        received = read_until(connection, b'"poison"},"finish_reason":"stop"}]}')
    assert received.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("stream", [False, True])
def test_interim_answers(mock, stream):
    with mock.raw("tokens=1;100s=3", stream=stream) as connection:
        received = read_until(connection, b'"finish_reason":"stop"')
    lines = [line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert lines == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 100 Continue",
                     b"HTTP/1.1 200 OK"]


def test_a_kept_connection_closed_when_the_next_request_arrives(mock):
    connection = mock.client()
    assert mock.chat("close-idle", connection=connection).status == 200
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        mock.chat("", connection=connection)
    ledger = mock.ledger()
    assert ledger["dropped_idle"] == 1 and ledger["requests"] == 1


def test_an_idle_connection_is_closed(mock):
    with mock.raw("idle=50ms") as connection:
        received, ended = read_all(connection)
    assert ended == "close" and received.startswith(b"HTTP/1.1 200 OK")
    connection = mock.client()
    for _ in range(3):
        assert mock.chat("idle=5s", connection=connection).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_head_that_comes_byte_by_byte(mock, stream):
    begin = time.monotonic()
    with mock.raw("tokens=2;slow-head=300ms", stream=stream) as connection:
        received, pieces = b"", 0
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
            pieces += 1
        assert time.monotonic() - begin > 0.2 and pieces > 20


def test_an_early_head_comes_before_the_first_token(mock):
    begin = time.monotonic()
    with mock.raw("early-head;first=300ms", stream=True) as connection:
        assert body_of(read_until(connection, b"\r\n\r\n")) == b"" and time.monotonic() - begin < 0.25
        read_until(connection, b"[DONE]")
        assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize("stream", [False, True])
def test_a_length_longer_than_the_body(mock, stream):
    with mock.raw("tokens=2;truncate", stream=stream) as connection:
        received, ended = read_all(connection)
    head, body = received.split(b"\r\n\r\n", 1)
    assert ended == "close" and int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) > len(body) > 0
    with pytest.raises(http.client.IncompleteRead):
        mock.chat("truncate")


def test_more_headers(mock):
    noisy = mock.chat("noisy;ratelimits;headers=3").headers
    assert {"set-cookie", "server", "x-internal-cluster", "x-ratelimit-remaining-tokens", "x-mock-field-2"} <= set(noisy)
    with mock.raw("headers=10000") as connection:
        assert read_until(connection, b"\r\n\r\n").count(b"x-mock-field-") == 10000


def test_padding_of_chunks(mock):
    events = mock.chat("tokens=1;obfuscation", stream=True, stream_options={"include_usage": True}).events()
    assert all(event["obfuscation"] for event in events[:-1])


def test_faults_as_flags():
    with MockProvider("--status", "500", "--times", "1", "--no-done", "--100s") as provider:
        assert provider.chat().status == 500
        assert provider.chat("", stream=True).events()[-1] == "[DONE]"
    with MockProvider("--no-done") as provider:
        assert provider.chat("", stream=True).events()[-1] != "[DONE]"


def test_a_long_stream_with_a_slow_reader_is_complete(mock):
    with mock.raw("tokens=100k;group=50", stream=True) as connection:
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            piece = connection.recv(1000)
            assert piece
            received = received[-10:] + piece
    ledger = mock.ledger_when(lambda ledger: ledger["completed"] == 1)
    assert ledger["tokens_served"] == 100 * 1024 and ledger["events_sent"] == 100 * 1024 + 2


def test_many_streams_that_leave_at_once(mock):
    connections = [mock.raw("tokens=9999;gap=50ms", stream=True) for _ in range(300)]
    mock.ledger_when(lambda ledger: ledger["in_progress"] == 300)
    for connection in connections:
        connection.close()
    ledger = mock.ledger_when(lambda ledger: ledger["aborted"] == 300)
    assert ledger["in_progress"] == 0 and len(ledger["aborts"]) == 300
    assert mock.ledger_when(lambda ledger: ledger["connections_open"] == 1)


def test_two_threads_share_the_port_and_the_ledger():
    with MockProvider("--threads", "2") as provider:
        for _ in range(40):
            assert provider.chat("tokens=1").status == 200
        ledger = provider.ledger()
        assert ledger["requests"] == ledger["completed"] == 40 and ledger["last_request"] == 40


def test_json_scan_is_not_fooled(mock):
    tricky = ('{ "messages" : [{"role":"user","content":"\\"model\\":\\"no\\", {[ \\\\"}], "metadata":{"model":"no",'
              '"stream":true}, "stream" : false, "model" : "mock-tokens=6" }')
    answer = mock.call("POST", "/v1/chat/completions", tricky, {"Authorization": "Bearer k"})
    assert answer.json()["model"] == "mock-tokens=6" and json.loads(tricky)["model"] == "mock-tokens=6"
