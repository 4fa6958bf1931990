"""The mock provider gives OpenAI's shapes, keeps its ledger, and obeys its settings."""

import hashlib
import json
import signal
import socket
import struct
import subprocess
import time

import pytest

from mock_provider import PATIENCE, MockProvider, binary, chat_body, raw_chat, read_all, read_until

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")


@pytest.fixture(scope="module")
def shared():
    with MockProvider("--keep-bodies") as provider:
        yield provider


@pytest.fixture
def mock(shared):
    shared.call("POST", "/mock/reset")
    return shared


def content_of(events):
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in events[:-1] if e["choices"])


def test_a_plain_answer_has_openais_shape(mock):
    answer = mock.chat("tokens=7;prompt=30;cached=10;reasoning=3")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["id", "object", "created", "model", "service_tier", "system_fingerprint", "choices", "usage"]
    assert body["object"] == "chat.completion"
    assert body["model"] == "mock-tokens=7;prompt=30;cached=10;reasoning=3"
    assert abs(body["created"] - time.time()) < 60
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "stop" and choice["logprobs"] is None
    assert choice["message"]["role"] == "assistant" and len(choice["message"]["content"]) == 7 * 4
    assert choice["message"]["refusal"] is None
    assert body["usage"] == {
        "prompt_tokens": 30, "completion_tokens": 10, "total_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}


def test_prompt_tokens_are_a_quarter_of_the_body(mock):
    assert mock.chat("").json()["usage"]["prompt_tokens"] == len(chat_body("")) // 4


def test_a_stream_has_openais_order_of_events(mock):
    answer = mock.chat("tokens=3", stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.events()
    assert len(events) == 1 + 3 + 1 + 1 + 1 and events[-1] == "[DONE]"
    for same in ("id", "created", "model", "object"):
        assert len({event[same] for event in events[:-1]}) == 1
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [list(e["choices"][0]["delta"]) for e in events[1:4]] == [["content"]] * 3
    assert all(e["choices"][0]["finish_reason"] is None for e in events[:4])
    assert events[4]["choices"][0]["delta"] == {} and events[4]["choices"][0]["finish_reason"] == "stop"
    assert all("usage" in e and e["usage"] is None for e in events[:5])
    assert events[5]["choices"] == [] and events[5]["usage"]["completion_tokens"] == 3


def test_without_include_usage_no_event_mentions_usage(mock):
    events = mock.chat("tokens=2", stream=True).events()
    assert len(events) == 1 + 2 + 1 + 1
    assert all("usage" not in event for event in events[:-1])


def test_stream_and_plain_answer_say_the_same(mock):
    plain = mock.chat("tokens=100;chunk=7").json()["choices"][0]["message"]["content"]
    assert content_of(mock.chat("tokens=100;chunk=7", stream=True).events()) == plain and len(plain) == 700


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_requests_limit_ends_the_answer(mock, field, stream):
    answer = mock.chat("tokens=50", stream=stream, stream_options={"include_usage": True}, **{field: 5})
    last = answer.events()[-3] if stream else answer.json()
    usage = (answer.events()[-2] if stream else answer.json())["usage"]
    assert last["choices"][0]["finish_reason"] == "length" and usage["completion_tokens"] == 5


def test_ids_differ_from_request_to_request(mock):
    ids = {mock.chat("").json()["id"] for _ in range(5)} | {mock.chat("", stream=True).events()[0]["id"]}
    assert len(ids) == 6


def test_padding_sets_the_content_size(mock):
    assert len(mock.chat("pad=100k").json()["choices"][0]["message"]["content"]) == 100 * 1024


def test_settings_come_from_flags_header_key_and_model_in_this_order():
    with MockProvider("--tokens", "1", "--chunk", "2", "--set", "cached=3,prompt=90") as provider:
        def result(*args, **kwargs):
            usage = provider.chat(*args, **kwargs).json()["usage"]
            return usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"]
        assert result() == (1, 3)
        assert result(header="tokens=2, cached=4") == (2, 4)
        assert result(header="tokens=2,cached=4", key="sk-mock-tokens=3") == (3, 4)
        assert result("tokens=4", header="tokens=2,cached=4", key="sk-mock-tokens=3") == (4, 4)
        assert provider.chat(model="openai/mock-tokens=5").json()["usage"]["completion_tokens"] == 5
        assert provider.chat(model="mock-large").json()["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize("spec", ["token=3", "tokens=x", "first=5parsecs", "group=0", "tokens=1;no-such"])
def test_wrong_settings_are_refused(mock, spec):
    answer = mock.chat(spec)
    assert answer.status == 400 and answer.json()["error"]["code"] == "mock_setting"


def test_the_schedule_is_absolute(mock):
    begin = time.monotonic()
    events = mock.chat("tokens=11;first=100ms;gap=20ms", stream=True).events()
    took = time.monotonic() - begin
    assert len(events) == 14 and 0.3 <= took < 2
    begin = time.monotonic()
    assert mock.chat("tokens=11;first=100ms;gap=20ms").status == 200
    assert time.monotonic() - begin >= 0.3


def test_a_group_goes_out_in_one_chunk(mock):
    with mock.raw("tokens=10;group=5;tag=g", stream=True) as connection:
        received = read_until(connection, b"0\r\n\r\n")
    body = received.split(b"\r\n\r\n", 1)[1]
    sizes = []
    while body:
        size, body = body.split(b"\r\n", 1)
        sizes.append(body[:int(size, 16)].count(b"data: "))
        body = body[int(size, 16) + 2:]
    assert sizes == [5, 5, 3, 0]


@pytest.mark.parametrize("spec", ["split=1", "split=7", "split=100;split-gap=1ms", "frame=1", "frame=33;split=5"])
def test_cut_streams_carry_the_same_events(mock, spec):
    answer = mock.chat("tokens=3;" + spec, stream=True)
    assert len(answer.events()) == 6
    assert mock.chat("tokens=3;" + spec).json()["choices"]


def test_echo_gives_back_the_last_user_text_cut_between_characters(mock):
    text = 'Grüße, "漢字" \\ \n 😀 end'
    messages = [{"role": "user", "content": "no"}, {"role": "assistant", "content": "no"},
                {"role": "user", "content": [{"type": "text", "text": text[:9]}, {"type": "text", "text": text[9:]}]},
                {"role": "assistant", "content": "no"}]
    assert mock.chat("echo", messages=messages).json()["choices"][0]["message"]["content"] == text
    for chunk in (1, 3):
        events = mock.chat(f"echo;chunk={chunk}", stream=True, messages=messages).events()
        assert content_of(events) == text and len(events) == 3 + -(-len(text) // chunk)
    escaped = json.dumps({"model": "mock-echo;chunk=1", "stream": True, "messages": messages}, ensure_ascii=True)
    answer = mock.call("POST", "/v1/chat/completions", escaped, {"Authorization": "Bearer k"})
    assert content_of(answer.events()) == text


def test_an_agent_loop_with_a_tool_ends(mock):
    messages = [{"role": "user", "content": "Weather?"}]
    message = mock.chat("tool", messages=messages).json()["choices"][0]
    assert message["finish_reason"] == "tool_calls" and message["message"]["content"] is None
    (call,) = message["message"]["tool_calls"]
    assert call["type"] == "function" and call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"location": "Paris"}
    messages += [message["message"], {"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"}]
    final = mock.chat("tool", messages=messages).json()["choices"][0]
    assert final["finish_reason"] == "stop" and final["message"]["content"]


def test_streamed_tool_calls_come_in_pieces(mock):
    events = mock.chat("tool=2;chunk=3", stream=True, stream_options={"include_usage": True}).events()
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": None, "refusal": None}
    calls = {}
    for event in events[1:-3]:
        (piece,) = event["choices"][0]["delta"]["tool_calls"]
        if piece["index"] not in calls:
            assert piece["type"] == "function" and piece["function"]["arguments"] == ""
            calls[piece["index"]] = {"id": piece["id"], "name": piece["function"]["name"], "text": "", "pieces": 0}
        else:
            assert "id" not in piece
            calls[piece["index"]]["pieces"] += 1
            calls[piece["index"]]["text"] += piece["function"]["arguments"]
    assert [json.loads(call["text"])["location"] for call in calls.values()] == ["Paris", "Tokyo"]
    assert all(call["pieces"] > 3 and call["name"] == "get_weather" for call in calls.values())
    assert calls[0]["id"] != calls[1]["id"] and all(call["id"].startswith("call_") for call in calls.values())
    assert events[-3]["choices"][0]["finish_reason"] == "tool_calls"
    assert events[-2]["usage"]["completion_tokens"] == len(events) - 4


def test_keys_are_needed(mock):
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
        missing = mock.call(method, path, chat_body() if method == "POST" else None)
        assert missing.status == 401 and missing.json()["error"]["code"] is None
        bad = mock.call(method, path, chat_body() if method == "POST" else None, {"Authorization": "Bearer sk-bad"})
        assert bad.status == 401 and bad.json()["error"]["code"] == "invalid_api_key"
        assert bad.json()["error"]["type"] == "invalid_request_error"
    assert mock.ledger()["unauthorized"] == 4


def test_models_paths_and_methods(mock):
    auth = {"Authorization": "Bearer k"}
    models = mock.call("GET", "/v1/models", headers=auth).json()
    assert models["object"] == "list" and {"id", "object", "created", "owned_by"} == set(models["data"][0])
    assert mock.call("POST", "/any/prefix/chat/completions?x=1", chat_body(), auth).status == 200
    assert mock.call("GET", "/v1/nothing", headers=auth).status == 404
    assert mock.call("GET", "/v1/chat/completions", headers=auth).status == 405
    assert mock.call("POST", "/v1/chat/completions", "{nonsense", auth).status == 400
    assert mock.call("POST", "/v1/chat/completions", '{"messages":[]}', auth).status == 400


def test_the_last_requests_are_kept_to_the_byte(mock):
    body = json.dumps({"model": "mock-tokens=1", "x": "\x01\x02\u00e9", "messages": []}, ensure_ascii=False).encode()
    mock.call("POST", "/v1/chat/completions", body, {"Authorization": "Bearer k", "X-Odd": "  value"})
    seen = mock.call("GET", "/mock/requests/last")
    split = int(seen.headers["x-mock-head-length"])
    assert seen.body[:split].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n") and b"\r\nX-Odd:   value\r\n" in seen.body
    assert seen.body[split:] == body
    assert seen.headers["x-mock-body-sha256"] == hashlib.sha256(body).hexdigest()
    number = seen.headers["x-mock-request"]
    mock.chat("")
    assert mock.call("GET", "/mock/requests/" + number).body == seen.body
    assert mock.call("GET", "/mock/requests/999999").status == 404


def test_bodies_are_hashed_without_being_kept():
    with MockProvider("--hash-bodies") as provider:
        provider.chat("")
        seen = provider.call("GET", "/mock/requests/last")
        assert seen.headers["x-mock-body-kept"] == "false"
        assert int(seen.headers["x-mock-body-length"]) == len(chat_body())
        assert seen.headers["x-mock-body-sha256"] == hashlib.sha256(chat_body()).hexdigest()
        assert len(seen.body) == int(seen.headers["x-mock-head-length"])


def test_large_chunked_and_expecting_requests_are_read(mock):
    large = chat_body("", padding="x" * (8 * 1024 * 1024))
    assert mock.call("POST", "/v1/chat/completions", large, {"Authorization": "Bearer k"}).status == 200
    pieces = [large[at:at + 100_003] for at in range(0, len(large), 100_003)]
    assert mock.call("POST", "/v1/chat/completions", iter(pieces), {"Authorization": "Bearer k"}).status == 200
    assert mock.call("GET", "/mock/requests/last").headers["x-mock-body-sha256"] == hashlib.sha256(large).hexdigest()
    with mock.connect() as connection:
        head, body = raw_chat().split(b"\r\n\r\n", 1)
        connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_until(connection, b"}}}").startswith(b"HTTP/1.1 200 OK\r\n")


def test_pipelined_and_slowly_arriving_requests_are_answered(mock):
    with mock.connect() as connection:
        connection.sendall(raw_chat("tokens=2", stream=True) + raw_chat("tokens=1") + raw_chat("close-after=0"))
        received, _ = read_all(connection)
        assert received.count(b"HTTP/1.1 200 OK") == 2 and b"[DONE]" in received
    with mock.connect() as connection:
        for byte in raw_chat("tokens=1"):
            connection.sendall(bytes([byte]))
        assert read_until(connection, b"}}}").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("head", [
    b"nonsense\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET / HTTP/1.1\r\nSpace : x\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_requests_that_are_not_http_are_refused(mock, head):
    with mock.connect() as connection:
        connection.sendall(head)
        received, _ = read_all(connection)
        assert received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    ledger = mock.ledger()
    assert ledger["malformed"] == 1 and ledger["requests"] == 0


def test_connections_end_as_the_request_says(mock):
    body = raw_chat("tokens=1", stream=True)
    with mock.connect() as connection:
        connection.sendall(body.replace(b"Host: mock", b"Host: mock\r\nConnection: close"))
        received, end = read_all(connection)
        assert end == "close" and b"connection: close" in received and received.endswith(b"0\r\n\r\n")
    with mock.connect() as connection:
        connection.sendall(body.replace(b"HTTP/1.1", b"HTTP/1.0"))
        received, end = read_all(connection)
        assert end == "close" and b"transfer-encoding" not in received and received.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("spec,stage", [("first=60s", "waiting"), ("tokens=9999;gap=10ms", "streaming")])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_peer_that_leaves_is_noticed_at_once(mock, spec, stage, how):
    connection = mock.raw(spec + ";tag=" + how, stream=True)
    if stage == "streaming":
        read_until(connection, b'"content":"')
    mock.ledger_when(lambda ledger: ledger["in_progress"] == 1)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    left = time.monotonic()
    connection.close()
    ledger = mock.ledger_when(lambda ledger: ledger["aborted"] == 1)
    (abort,) = ledger["aborts"]
    assert abort["stage"] == stage and ledger["in_progress"] == 0
    assert (abort["events"] > 0) == (stage == "streaming") and ledger["tokens_wasted"] == abort["tokens"]
    assert abort["request"] == ledger["last_request"] and abort["ms"] >= 0 and abort["abort_delay_us"] < 1e6
    assert abs(abort["observed_monotonic_us"] / 1e6 - left) < 1
    if stage == "waiting":
        assert abort["by"] == how


def test_the_ledger_adds_up_and_can_be_reset(mock):
    connection = mock.client()
    for _ in range(3):
        mock.chat("tokens=5", connection=connection)
        mock.chat("tokens=5", connection=connection, stream=True)
    ledger = mock.ledger()
    assert (ledger["requests"], ledger["completed"], ledger["in_progress"]) == (6, 6, 0)
    assert ledger["tokens_served"] == 30 and ledger["events_sent"] == 3 * 7
    mock.ledger_when(lambda ledger: ledger["connections_open"] == 2)
    mock.call("POST", "/mock/reset")
    ledger = mock.ledger()
    assert (ledger["requests"], ledger["completed"], ledger["tokens_served"]) == (0, 0, 0)
    assert mock.call("GET", "/mock/requests/last").status == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly_even_under_way(number):
    with MockProvider("--threads", "2") as provider:
        connections = [provider.raw("gap=1s", stream=True) for _ in range(4)]
        provider.ledger_when(lambda ledger: ledger["in_progress"] == 4)
        assert provider.stop(number) == 0
        for connection in connections:
            connection.close()


def test_an_address_in_use_and_wrong_flags_are_reported(mock):
    for threads in ("1", "2"):
        command = [binary(), "mock", "--listen", f"127.0.0.1:{mock.port}", "--threads", threads]
        assert subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 69
    for flags in (["--listen", "nowhere:0"], ["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"]):
        assert subprocess.run([binary(), "mock", *flags], capture_output=True, timeout=PATIENCE).returncode == 64
    for flags in (["--set", "nope=1"], ["--tokens", "many"]):
        assert subprocess.run([binary(), "mock", *flags], capture_output=True, timeout=PATIENCE).returncode != 0


def test_tls(tmp_path):
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-days", "1"],
                   check=True, capture_output=True)
    with MockProvider("--tls-cert", cert, "--tls-key", key) as provider:
        assert provider.base_url.startswith("https://")
        assert provider.chat("tokens=3").json()["usage"]["completion_tokens"] == 3
        assert len(provider.chat("tokens=300;split=100", stream=True).events()) == 303
        assert len(provider.chat("tokens=5;gap=5ms", stream=True).events()) == 8
        with provider.raw("reset-after=2", stream=True) as connection:
            received, _ = read_all(connection)
            assert received.count(b"data: ") == 2 and b"[DONE]" not in received
        provider.raw("first=60s").close()
        provider.ledger_when(lambda ledger: ledger["aborted"] == 1)
        assert provider.stop() == 0
