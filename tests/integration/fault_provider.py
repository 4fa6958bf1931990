"""A provider in every dialect, whose behaviour the model's name tells: `FAULT.N`, where N makes names different."""

import json
import re
import socket
import threading
import time

from mock_provider import PATIENCE

TEXT = "All is well."


def event(data, name=None):
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def chunk_openai(model, delta, finish=None):
    return event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model,
                  "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def openai(model):
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    return {
        "lead": chunk_openai(model, {"role": "assistant", "content": ""}),
        "content": chunk_openai(model, {"content": TEXT}),
        "end": chunk_openai(model, {}, "stop") + event({"id": "c1", "object": "chat.completion.chunk", "created": 1,
                                                        "model": model, "choices": [], "usage": usage})
        + b"data: [DONE]\n\n",
        "whole": json.dumps({"id": "c1", "object": "chat.completion", "created": 1, "model": model,
                             "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT},
                                          "finish_reason": "stop"}], "usage": usage}).encode(),
        "overloaded": {"error": {"message": "Overloaded", "type": "overloaded_error", "code": None}},
    }


def x_ai(model):
    """The role comes with the first content, the error is a text."""
    return {**openai(model), "lead": b"", "content": chunk_openai(model, {"role": "assistant", "content": TEXT}),
            "overloaded": {"code": "The service is currently unavailable", "error": "Overloaded"}}


def openrouter(model):
    """Comments, the role again and again, and an error beside a choice that says so."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}
    return {**openai(model), "lead": b": OPENROUTER PROCESSING\n\n",
            "content": chunk_openai(model, {"role": "assistant", "content": TEXT}),
            "overloaded": {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model,
                           "choices": [choice], "error": {"code": 503, "message": "Overloaded", "metadata": {
                               "error_type": "provider_overloaded"}}}}


def minimax(model):
    """Failures are a status of its own beside HTTP 200; 1024 is an internal error."""
    return {**openai(model), "lead": chunk_openai(model, {"role": "", "content": ""}),
            "overloaded": {"id": "c1", "choices": None, "base_resp": {"status_code": 1024, "status_msg": "Overloaded"}}}


def anthropic(model):
    usage = {"input_tokens": 5, "output_tokens": 2}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    return {
        "lead": event({"type": "message_start", "message": {**message, "content": [], "stop_reason": None,
                                                            "stop_sequence": None, "usage": usage}}, "message_start")
        + event({"type": "ping"}, "ping")
        + event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                "content_block_start"),
        "content": event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
                         "content_block_delta"),
        "end": event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        + event({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                 "usage": {"output_tokens": 2}}, "message_delta") + event({"type": "message_stop"}, "message_stop"),
        "whole": json.dumps({**message, "content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn",
                             "stop_sequence": None, "usage": usage}).encode(),
        "overloaded": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    }


def google(model):
    def part(text, **more):
        return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
                "modelVersion": model, "responseId": "r1"}

    return {
        "lead": b"",
        "content": event(part(TEXT)),
        "end": event(part("", finishReason="STOP")),
        "whole": json.dumps(part(TEXT, finishReason="STOP")).encode(),
        "overloaded": {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}},
    }


DIALECTS = {"openai": openai, "anthropic": anthropic, "google": google, "x-ai": x_ai, "openrouter": openrouter,
            "minimax": minimax}
# Where a gateway finds each, behind the provider's address.
PATHS = {"openai": "/v1", "anthropic": "", "google": "/v1beta", "x-ai": "/x-ai/v1", "openrouter": "/openrouter/v1",
         "minimax": "/minimax/v1"}
WORDS = {401: ("authentication_error", "UNAUTHENTICATED"), 403: ("permission_error", "PERMISSION_DENIED"),
         404: ("not_found_error", "NOT_FOUND"), 408: ("timeout_error", "DEADLINE_EXCEEDED"),
         429: ("rate_limit_error", "RESOURCE_EXHAUSTED"), 500: ("api_error", "INTERNAL"),
         503: ("api_error", "UNAVAILABLE"), 529: ("overloaded_error", "UNAVAILABLE")}


def error_body(dialect, status, code=None):
    kind, google_status = WORDS[status]
    message = f"This is a {status}."
    if dialect == "google":
        body = {"error": {"code": status, "message": message, "status": google_status}}
    elif dialect == "anthropic":
        body = {"type": "error", "error": {"type": kind, "message": message}}
    elif dialect == "x-ai":
        body = {"code": "A sentence about it", "error": message}
    elif dialect == "openrouter":
        body = {"error": {"code": status, "message": message}, "user_id": "u"}
    else:
        body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return json.dumps(body).encode()


def head(status="200 OK", content_type="application/json", length=None, *fields):
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {content_type}", framing, *fields]).encode() + b"\r\n\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


END = b"0\r\n\r\n"
STALL, RESET, CLOSE, ENDLESS = "stall", "reset", "close", "endless"
MANY = b"a" * 262144


def steps_of(fault, dialect, stream, model):
    """What is done for a request: octets, numbers (pauses in seconds) and one of the four words above at the end."""
    d = DIALECTS[dialect](model)
    whole = d["whole"]
    half = whole[:len(whole) // 2]
    overloaded = json.dumps(d["overloaded"]).encode()
    overloaded_event = event(d["overloaded"], "error" if dialect == "anthropic" else None)
    begun = head(content_type="text/event-stream") + chunk(d["lead"])
    if fault == "good":
        return [begun + chunk(d["content"]) + chunk(d["end"]) + END] if stream else [head(length=len(whole)) + whole]
    if found := re.fullmatch(r"status-(\d+)(-wait|-quota)?", fault):
        status = int(found[1])
        fields = ["Retry-After: 30"] if found[2] == "-wait" else []
        body = error_body(dialect, status, "insufficient_quota" if found[2] == "-quota" else None)
        return [head(f"{status} Status", "application/json", len(body), *fields) + body]
    if fault == "reset-first":
        return [RESET]
    if fault == "reset-late":
        return [0.6, RESET]
    if fault == "reset-after-head":
        return [head(content_type="text/event-stream") if stream else head(length=len(whole)), 0.05, RESET]
    if fault == "mid-event":
        return ([begun + chunk(d["content"]) + b"40\r\ndata: {\"id\"", 0.05, RESET] if stream
                else [head(length=len(whole)) + half, 0.05, RESET])
    if fault == "stall-first":
        return [STALL]
    if fault == "stall-later":
        return [begun + chunk(d["content"]), STALL] if stream else [head(length=len(whole)) + half, STALL]
    if fault == "garbage":
        return [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", CLOSE]
    if fault == "endless-line":
        return [b"HTTP/1.1 200 OK\r\nX-Line: ", ENDLESS]
    if fault == "truncated-json":
        cut = d["content"][:len(d["content"]) // 2]
        return [begun + chunk(cut) + END] if stream else [head(length=len(half)) + half]
    if fault == "wrong-type":
        return [head(content_type="text/html", length=13) + b"<html></html>"]
    if fault == "no-end":
        return ([begun + chunk(d["content"]) + END] if stream
                else [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + whole, CLOSE])
    if fault == "pauses":
        return [begun + chunk(d["content"]), 0.8, chunk(d["end"]) + END]
    if fault == "slow":
        return [1.0, begun + chunk(d["content"]) + chunk(d["end"]) + END] if stream else [1.0, head(length=len(whole)) + whole]
    if fault == "untyped-stream":
        return [head(content_type="text/plain") + chunk(d["lead"] + d["content"]) + chunk(d["end"]) + END]
    if fault == "whole-response":  # of the Responses API
        part = {"type": "output_text", "text": TEXT, "annotations": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
        whole = json.dumps({"id": "resp_1", "object": "response", "status": "completed", "error": None,
                            "output": [item], "usage": usage}).encode()
        return [head(length=len(whole)) + whole]
    if fault == "not-a-stream":
        return [head(length=len(whole)) + whole]
    if fault in ("status-503-later", "status-503-asks"):
        body = error_body(dialect, 503)
        fields = ["retry-after-ms: 800"] if fault.endswith("asks") else []
        return [0.6 if fault.endswith("later") else 0, head("503 Busy", "application/json", len(body), *fields) + body]
    if fault == "error-200":
        return [head(length=len(overloaded)) + overloaded]
    if fault == "error-first":
        return [begun + chunk(overloaded_event) + END]
    if fault == "late":
        return [begun + chunk(d["content"]), 0.02, chunk(overloaded_event) + END]
    if fault == "endless-event":
        return [begun + chunk(b"data: "), ENDLESS]
    if fault == "endless-event-later":
        return [begun + chunk(d["content"]) + chunk(b"data: "), ENDLESS]
    raise AssertionError(fault)


class FaultProvider:
    """Serves until the `with` statement ends. `asked` counts the requests of each model."""

    def __enter__(self):
        self.asked = {}
        self.keys = {}  # model -> keys that requests came with
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _read(connection):
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return None
            received += piece
        text, body = received.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b": ", 1) for line in text.split(b"\r\n")[1:])
        while len(body) < int(fields[b"content-length"]):
            body += connection.recv(65536)
        return text.split(b" ")[1].decode(), fields, json.loads(body)

    def _serve(self, connection):
        with connection:
            try:
                while request := self._read(connection):
                    if not self._answer(connection, *request):
                        return
            except OSError:
                pass

    def _answer(self, connection, path, fields, body):
        if found := re.search(r"/models/([^:]+):(stream)?", path):
            dialect, model, stream = "google", found[1], found[2] is not None
        else:
            first = path.split("/")[1]  # of the base URL
            dialect = "anthropic" if path.endswith("/messages") else first if first in DIALECTS else "openai"
            model, stream = body["model"], body.get("stream", False)
        key = next(fields[name] for name in (b"authorization", b"x-api-key", b"x-goog-api-key") if name in fields)
        with self.lock:
            self.asked[model] = self.asked.get(model, 0) + 1
            self.keys.setdefault(model, []).append(key.removeprefix(b"bearer ").decode())
            count = self.asked[model]
        fault, _, _ = model.partition(".")
        if found := re.fullmatch(r"(.+)-x(\d+)", fault):  # the first N requests only
            fault = found[1] if count <= int(found[2]) else "good"
        if found := re.fullmatch(r"(.+)-at(\d+)(?:-then-(.+))?", fault):  # that request only; another from then on
            late = found[3] or "good"
            fault = found[1] if count == int(found[2]) else late if count > int(found[2]) else "good"
        if found := re.fullmatch(r"(.+)-from(\d+)", fault):
            fault = found[1] if count >= int(found[2]) else "good"
        if fault == "echo-length":
            text = chunk_openai(model, {"content": str(len(body["user"]))})
            return self._play(connection, [head(content_type="text/event-stream") + chunk(text)
                                           + chunk(openai(model)["end"]) + END])
        return self._play(connection, steps_of(fault, dialect, stream, model))

    @staticmethod
    def _play(connection, steps):
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return False
            elif step == CLOSE:
                return False
            elif step == STALL:
                connection.recv(1)  # until the peer leaves
                return False
            elif step == ENDLESS:
                while True:
                    connection.sendall(chunk(MANY))
            else:
                time.sleep(step)
        return True
