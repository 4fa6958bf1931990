"""How requests are cut out of a connection: what is ambiguous is refused, never forwarded; what is legal is served."""

import pytest

from harness import chat_body, gateway_fixture, get, mock, needs_binary, post  # noqa: F401

pytestmark = needs_binary
gateway = gateway_fixture()

CHAT = "/api/v1/chat/completions"
BODY = chat_body()
TAIL = get("/api/health")  # rides behind a bad request: must never be answered


def head(*lines, method="POST", target=CHAT, version="1.1", host="Host: gateway"):
    """A head with a place for the credential, so that only the framing can be the reason of a refusal."""
    first = f"{method} {target} HTTP/{version}"
    return "\r\n".join([first, *([host] if host else []), "AUTH", *lines]) + "\r\n\r\n"


def fields(*lines, body=None, **how):
    """A request with these header lines and, where none of them says otherwise, a proper body."""
    return head(*lines, **how).encode("latin-1") + (BODY if body is None else body)


def chunked(body, *lines):
    return fields("Transfer-Encoding: chunked", *lines, body=body)


LENGTH = f"Content-Length: {len(BODY)}"
WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# id: request, acceptable statuses
REFUSED = {
    # H-01, B2: both lengths
    "cl-then-te": (fields(LENGTH, "Transfer-Encoding: chunked", body=WHOLE), {400}),
    "te-then-cl": (fields("Transfer-Encoding: chunked", LENGTH, body=WHOLE), {400}),
    "cl-then-te-gzip": (fields(LENGTH, "Transfer-Encoding: gzip"), {400, 501}),
    "te-gzip-then-cl": (fields("Transfer-Encoding: gzip", LENGTH), {400, 501}),
    "cl-zero-then-te": (fields("Content-Length: 0", "Transfer-Encoding: chunked", body=WHOLE), {400}),
    # H-02, H-03, B1, B3: codings that are not exactly one `chunked`
    **{f"te-{i:02}": (fields(f"Transfer-Encoding:{value}", body=WHOLE), {400, 501}) for i, value in enumerate([
        " gzip", " identity", " xchunked", " chunkedx", " chunked, gzip", " gzip, chunked", " chunked, chunked", "",
        " ", " \xa0chunked", ' "chunked"', " chunked;", " chunked;q=1", " chunked,", " ,chunked", " chunked\x0b",
        " chunked\x0c", " \x0bchunked", " chun ked", " identity, chunked", " \x00chunked", " 'chunked'", " chunked chunked",
        " c\xfchunked"])},
    "te-twice": (fields("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=WHOLE), {400, 501}),
    "te-identity-then-chunked": (fields("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=WHOLE), {400, 501}),
    "te-chunked-then-identity": (fields("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=WHOLE), {400, 501}),
    "te-space-before-colon": (fields("Transfer-Encoding : chunked", body=WHOLE), {400}),
    "te-tab-before-colon": (fields("Transfer-Encoding\t: chunked", body=WHOLE), {400}),
    "te-underscore": (fields("Transfer_Encoding: chunked", body=WHOLE), {400}),
    "te-folded": (fields("Transfer-Encoding:\r\n chunked", body=WHOLE), {400}),
    # H-04, B12: lengths that are not one plain number
    **{f"cl-{i:02}": (fields(f"Content-Length:{value}"), {400}) for i, value in enumerate([
        f" {len(BODY)}, {len(BODY)}", f" {len(BODY)} {len(BODY)}", f" +{len(BODY)}", f" -{len(BODY)}", f" 0{len(BODY)}",
        f" {len(BODY):#x}", f" {len(BODY)}.0", f" {len(BODY)}e0", "", " ", " 18446744073709551616",
        f" {2 ** 64 + len(BODY)}", " 9223372036854775808", f" {len(BODY)}\x00", f" {len(BODY)};", f" '{len(BODY)}'",
        f" {len(BODY)}_0", " \xb2", f" {len(BODY)},"])},
    "cl-twice-equal": (fields(LENGTH, LENGTH), {400}),
    "cl-twice-different": (fields(LENGTH, "Content-Length: 3"), {400}),
    "cl-space-before-colon": (fields(f"Content-Length : {len(BODY)}"), {400}),
    "cl-underscore": (fields(f"Content_Length: {len(BODY)}"), {400}),
    # H-05, B4
    "http10-chunked": (fields("Transfer-Encoding: chunked", version="1.0", body=WHOLE), {400, 505}),
    # H-07: bare line ends
    "bare-lf-in-field": (b"GET /api/health HTTP/1.1\r\nHost: gateway\nX-A: b\r\n\r\n", {400}),
    "bare-lf-everywhere": (b"GET /api/health HTTP/1.1\nHost: gateway\n\n", {400}),
    "bare-lf-after-line": (b"GET /api/health HTTP/1.1\nHost: gateway\r\n\r\n", {400}),
    "bare-lf-at-end": (b"GET /api/health HTTP/1.1\r\nHost: gateway\r\n\n", {400}),
    "bare-cr-in-value": (fields(LENGTH, "X-A: b\rc"), {400}),
    "bare-cr-in-line": (b"GET /api/health\r HTTP/1.1\r\nHost: gateway\r\n\r\n", {400}),
    "bare-cr-as-end": (b"GET /api/health HTTP/1.1\rHost: gateway\r\n\r\n", {400}),
    "cr-cr-lf": (b"GET /api/health HTTP/1.1\r\r\nHost: gateway\r\n\r\n", {400}),
    # H-08, B9: folding
    "fold-space": (fields(LENGTH, "X-A: b\r\n c"), {400}),
    "fold-tab": (fields(LENGTH, "X-A: b\r\n\tc"), {400}),
    "fold-first-line": (b"GET /api/health HTTP/1.1\r\n Host: gateway\r\n\r\n", {400}),
    # H-09: controls
    **{f"control-{code:02x}-in-value": (fields(LENGTH, f"X-A: b{chr(code)}c"), {400})
       for code in (0, 1, 7, 8, 11, 12, 27, 127)},
    **{f"control-{code:02x}-in-name": (fields(LENGTH, f"X{chr(code)}A: b"), {400}) for code in (0, 1, 9, 127)},
    **{f"control-{code:02x}-in-target": (get(f"/api/health{chr(code)}"), {400}) for code in (0, 1, 9, 127)},
    # H-10: names
    "name-empty": (fields(LENGTH, ": b"), {400}),
    "name-space": (fields(LENGTH, "X A: b"), {400}),
    "name-space-before-colon": (fields(LENGTH, "X-A : b"), {400}),
    **{f"name-{code:02x}": (fields(LENGTH, f"X{chr(code)}A: b"), {400}) for code in b'"(),/;<=>?@[\\]{}' + b"\x80\xff"},
    "no-colon": (fields(LENGTH, "X-A"), {400}),
    # H-11: chunk sizes
    **{f"chunk-size-{i:02}": (chunked(size + b"\r\n" + BODY + b"\r\n0\r\n\r\n"), {400}) for i, size in enumerate([
        b"+%x" % len(BODY), b"-%x" % len(BODY), b"0x%x" % len(BODY), b" %x" % len(BODY), b"%x " % len(BODY),
        b"%x\t" % len(BODY), b"4_7", b"", b"g", b"0" * 5000 + b"%x" % len(BODY), b"10000000000000000",
        b"ffffffffffffffff", b"\x00%x" % len(BODY), b"'%x'" % len(BODY), b"%x.0" % len(BODY)])},
    # H-12, B8: extensions
    "chunk-ext-lf": (chunked(b"%x;a\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-ext-cr": (chunked(b"%x;a\rX\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-ext-nul": (chunked(b"%x;a\0\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-ext-open-quote": (chunked(b"%x;a=\"\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-ext-no-name": (chunked(b"%x;\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    # H-13, B7: framing without data
    "chunk-ext-16k": (chunked(b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(BODY), b"a" * 16384, BODY)), {400, 413}),
    "chunk-ext-many": (chunked(b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n{\r\n" * 4000 + b"0\r\n\r\n"), {400, 413}),
    # H-14: data and size disagree
    "chunk-data-long": (chunked(b"5\r\n123456\r\n0\r\n\r\n"), {400}),
    "chunk-data-short": (chunked(b"5\r\n123\r\n0\r\n\r\n"), {400}),
    "chunk-data-lf": (chunked(b"%x\r\n%s\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-size-lf": (chunked(b"%x\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), {400}),
    "chunk-last-lf": (chunked(b"%x\r\n%s\r\n0\n\r\n" % (len(BODY), BODY)), {400}),
    "trailer-bare-lf": (chunked(WHOLE[:-2] + b"X-A: b\n\r\n"), {400}),
    "trailer-no-colon": (chunked(WHOLE[:-2] + b"X-A\r\n\r\n"), {400}),
    "trailer-folded": (chunked(WHOLE[:-2] + b"X-A: b\r\n c\r\n\r\n"), {400}),
    # H-16, B6
    "trailer-flood": (chunked(WHOLE[:-2] + b"X-A: b\r\n" * 100_000 + b"\r\n"), {400, 431}),
    # H-17, B10: hosts
    "host-missing": (get("/api/health").replace(b"Host: gateway\r\n", b""), {400}),
    "host-twice": (get("/api/health", "Host: other"), {400}),
    "host-twice-equal": (get("/api/health", "Host: gateway"), {400}),
    **{f"host-{i:02}": (get("/api/health").replace(b"Host: gateway", b"Host: " + value), {400}) for i, value in enumerate([
        b"", b"a,b", b"a b", b"user@gateway", b"gateway/x", b"gateway?x", b"gateway#x", b"gateway:port", b"gateway:123456",
        b"gateway:80:80", b"[::1", b"[x]", b"g\xe4teway", b"a\tb", b"\\gateway", b"http://gateway"])},
    # H-18, H-19, B11: targets and methods
    "absolute-other-host": (get("http://other/api/health"), {400, 421}),
    "absolute-userinfo": (get("http://user@gateway/api/health"), {400}),
    "absolute-other-scheme": (get("ftp://gateway/api/health"), {400}),
    "authority-form": (get("gateway:80"), {400}),
    "no-slash": (get("api/health"), {400}),
    "asterisk-get": (get("*"), {400}),
    "connect": (b"CONNECT gateway:443 HTTP/1.1\r\nHost: gateway:443\r\n\r\n", {400, 405, 501}),
    "fragment": (get("/api/health#x"), {400}),
    **{f"target-{code:02x}": (get(f"/api/health{chr(code)}"), {400}) for code in b'"<>\\^`{|}' + b"\x80\xff"},
    "percent-00": (get("/api/health%00"), {400}),
    "percent-0d0a": (get("/api/health%0d%0aX"), {400}),
    "percent-bad": (get("/api/health%zz"), {400}),
    "percent-cut": (get("/api/health%2"), {400}),
    # request line
    "line-two-spaces": (b"GET  /api/health HTTP/1.1\r\nHost: gateway\r\n\r\n", {400}),
    "line-tab": (b"GET\t/api/health\tHTTP/1.1\r\nHost: gateway\r\n\r\n", {400}),
    "line-trailing-space": (b"GET /api/health HTTP/1.1 \r\nHost: gateway\r\n\r\n", {400}),
    "line-leading-space": (b" GET /api/health HTTP/1.1\r\nHost: gateway\r\n\r\n", {400}),
    "line-http09": (b"GET /api/health\r\n\r\n", {400, 505}),
    "line-lower-version": (b"GET /api/health http/1.1\r\nHost: gateway\r\n\r\n", {400, 505}),
    "line-version-11.1": (b"GET /api/health HTTP/11.1\r\nHost: gateway\r\n\r\n", {400, 505}),
    "line-version-1.2": (get("/api/health", version="1.2"), {400, 505}),
    "line-version-2.0": (get("/api/health", version="2.0"), {400, 505}),
    "http2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 405, 505}),
    "method-odd": (b"G@T /api/health HTTP/1.1\r\nHost: gateway\r\n\r\n", {400}),
    "method-endless": (b"A" * 4000, {400, 501}),
    # H-23
    "expect-unknown": (fields(LENGTH, "Expect: 200-ok"), {417}),
    # H-24
    "garbage": (bytes(range(128, 256)) * 4, {400}),
    "nul-bytes": (b"\0" * 64, {400}),
    "tls-hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 200, {400}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_ambiguous_or_malformed_request_is_refused_and_the_connection_closed(gateway, case):
    request, statuses = REFUSED[case]
    before = gateway.upstream_requests()
    with gateway.connect() as connection:
        connection.send(request.replace(b"AUTH", gateway.authorization.encode(), 1), TAIL)
        answer = connection.read()
        assert answer.status in statuses, answer
        assert answer.interim == []
        assert answer.closes, answer
        assert answer.error()["code"]
        connection.expect_close()
    assert gateway.upstream_requests() == before


@pytest.mark.parametrize("case", ["cl-then-te", "te-00", "cl-00", "chunk-size-00", "fold-space", "host-missing",
                                  "bare-lf-at-end", "trailer-flood", "garbage", "connect"])
def test_a_request_that_comes_octet_by_octet_is_refused_all_the_same(gateway, case):
    request, statuses = REFUSED[case]
    request = request.replace(b"AUTH", gateway.authorization.encode(), 1)[:3000]
    with gateway.connect() as connection:
        for i in range(len(request)):
            connection.send(request[i:i + 1])
        if case == "trailer-flood":
            connection.send(b"X-A: b\r\n" * 4000)
        assert connection.read().status in statuses
        connection.expect_close()


ACCEPTED = {
    "length": fields(LENGTH),
    "chunked": chunked(WHOLE),
    "chunked-upper-case": fields("transfer-encoding: CHUNKED", body=WHOLE),
    "chunked-one-octet": chunked(b"".join(b"1\r\n%c\r\n" % octet for octet in BODY) + b"0\r\n\r\n"),
    "chunked-leading-zeros": chunked(b"000%x\r\n%s\r\n000\r\n\r\n" % (len(BODY), BODY)),
    "chunked-extension": chunked(b'%x;name=value;other="quoted \\" text"\r\n%s\r\n0;last\r\n\r\n' % (len(BODY), BODY)),
    "chunked-trailer": chunked(WHOLE[:-2] + b"X-Checksum: 1\r\n\r\n"),
    "value-without-space": fields(f"Content-Length:{len(BODY)}"),
    "value-with-tabs": fields(f"Content-Length:\t {len(BODY)}\t "),
    "obs-text": fields(LENGTH, "X-A: caf\xe9"),
    "empty-value": fields(LENGTH, "X-A:"),
    "host-port": fields(LENGTH, host="Host: gateway:8080"),
    "host-v6": fields(LENGTH, host="Host: [::1]:8080"),
    "absolute": fields(LENGTH, target="http://gateway" + CHAT),
    "query": fields(LENGTH, target=CHAT + "?a=b"),
    "upgrade-h2c": fields(LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    "upgrade-websocket": fields(LENGTH, "Connection: Upgrade", "Upgrade: websocket"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_legal_request_is_served_and_the_connection_kept(gateway, case):
    before = gateway.upstream_requests()
    with gateway.connect() as connection:
        connection.send(ACCEPTED[case].replace(b"AUTH", gateway.authorization.encode(), 1))
        answer = connection.read()
        assert answer.status == 200, answer
        assert answer.json()["choices"] and not answer.closes
        connection.expect_open()
    assert gateway.upstream_requests() == before + 1


@pytest.mark.parametrize("case", ["length", "chunked", "chunked-extension", "chunked-trailer"])
def test_a_legal_request_may_come_octet_by_octet(gateway, case):
    request = ACCEPTED[case].replace(b"AUTH", gateway.authorization.encode(), 1)
    with gateway.connect() as connection:
        for i in range(len(request)):
            connection.send(request[i:i + 1])
        assert connection.read().status == 200
        connection.expect_open()


# H-15, B5


@pytest.mark.parametrize("trailer", ["Authorization: Bearer {key}", "X-API-Key: {key}", "Host: other",
                                     "Content-Length: 5", "Transfer-Encoding: chunked", "X-Forwarded-For: 10.0.0.1"])
def test_a_trailer_is_dropped(gateway, trailer):
    line = trailer.format(key=gateway.key).encode()
    credential = b"" if b"ck_" in line else gateway.authorization.encode() + b"\r\n"
    request = (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: gateway\r\n" + credential
               + b"Transfer-Encoding: chunked\r\n\r\n" + WHOLE[:-2] + line + b"\r\n\r\n")
    answer = gateway.ask(request)
    if b"ck_" in line:
        assert answer.status == 401  # what comes behind the body is no credential
        return
    assert answer.status == 200
    received = gateway.mock.call("GET", "/mock/requests/last").body
    assert line not in received


# H-21: pipelining


def test_fifty_requests_in_one_segment_get_fifty_answers_in_order(gateway):
    paths = ["/api/health" if i % 3 else f"/nothing/{i}" for i in range(50)]
    with gateway.connect() as connection:
        connection.send(*(get(path) for path in paths))
        for path in paths:
            assert connection.read().status == (200 if path == "/api/health" else 404)
        connection.expect_open()


def test_pipelined_completions_are_answered_in_order(gateway):
    with gateway.connect() as connection:
        connection.send(*(gateway.chat("fast" if i % 2 else "slow", max_tokens=1 + i % 5) for i in range(20)))
        for i in range(20):
            assert connection.read().json()["usage"]["completion_tokens"] == 1 + i % 5
        connection.expect_open()


def test_a_stream_and_a_plain_answer_follow_each_other(gateway):
    with gateway.connect() as connection:
        connection.send(gateway.chat(stream=True), gateway.chat(), get("/api/health"))
        streamed = connection.read()
        assert streamed.framing == "chunked" and streamed.body.endswith(b"data: [DONE]\n\n")
        assert streamed.get("Content-Type").startswith("text/event-stream")
        assert connection.read().json()["object"] == "chat.completion"
        assert connection.read().status == 200


def test_chunked_requests_can_be_pipelined(gateway):
    request = chunked(WHOLE).replace(b"AUTH", gateway.authorization.encode(), 1)
    with gateway.connect() as connection:
        connection.send(request * 5, TAIL)
        assert [connection.read().status for _ in range(6)] == [200] * 6


# H-06: HTTP/1.0


def test_http_1_0_closes_unless_it_asks_to_keep(gateway):
    with gateway.connect() as connection:
        connection.send(get("/api/health", version="1.0"))
        answer = connection.read()
        assert answer.status == 200 and answer.closes and answer.framing == "length"
        connection.expect_close()


def test_http_1_0_keeps_the_connection_when_asked(gateway):
    with gateway.connect() as connection:
        for _ in range(3):
            connection.send(get("/api/health", "Connection: keep-alive", version="1.0"))
            answer = connection.read()
            assert answer.status == 200 and answer.get("Connection") == "keep-alive"


@pytest.mark.parametrize("options", ["close, keep-alive", "keep-alive, close", "Close", "x, close"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_close_wins_over_keep_alive(gateway, options, version):
    with gateway.connect() as connection:
        connection.send(get("/api/health", "Connection: " + options, version=version))
        assert connection.read().closes
        connection.expect_close()


def test_http_1_0_needs_no_host(gateway):
    assert gateway.ask(b"GET /api/health HTTP/1.0\r\n\r\n").status == 200


def test_a_stream_to_http_1_0_ends_with_the_connection(gateway):
    request = post(CHAT, chat_body(stream=True), gateway.authorization, "Connection: keep-alive", version="1.0")
    with gateway.connect() as connection:
        connection.send(request)
        answer = connection.read()
        assert answer.status == 200 and answer.framing == "close" and answer.closes
        assert answer.body.endswith(b"data: [DONE]\n\n")
