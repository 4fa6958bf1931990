"""A gateway in front of a scripted provider of Anthropic's dialect: shared by the tests of both of its endpoints."""

import itertools
import json
import sqlite3

from harness import Gateway, post
from imposter import Imposter

KEY = "sk-ant-the-platforms-own"

_numbers = itertools.count(1)


def own_model():
    """The name of a model that no other test asks for, so that its usage is this test's alone."""
    return f"claude-sonnet-4-5-of-test-{next(_numbers)}"


def event(**data):
    """An event as Anthropic writes it."""
    return f"event: {data['type']}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


START = event(type="message_start", message={
    "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "content": [],
    "stop_reason": None, "stop_sequence": None,
    "usage": {"input_tokens": 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 20, "output_tokens": 1}})
OPEN = event(type="content_block_start", index=0, content_block={"type": "text", "text": ""})
CLOSE = event(type="content_block_stop", index=0)
PING = event(type="ping")
STOP = event(type="message_stop")


def text(words):
    return event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": words})


def end(reason="end_turn", output=10):
    return event(type="message_delta", delta={"stop_reason": reason, "stop_sequence": None},
                 usage={"output_tokens": output})


STREAM = START + OPEN + PING + text("Grüezi") + text(" mitenand") + CLOSE + end() + STOP

MESSAGE = {
    "id": "msg_02", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Grüezi"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, 2]}}],
    "stop_reason": "tool_use", "stop_sequence": None,
    "usage": {"input_tokens": 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 20,
              "output_tokens": 10, "output_tokens_details": {"thinking_tokens": 4}}}

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}


class Rig:
    """A gateway and its imposters: `anthropic`, and `local`, a provider of OpenAI's dialect."""

    def __init__(self, folder, settings=None):
        self.anthropic = Imposter()
        self.local = Imposter()
        self.gateway = Gateway(folder, None, {
            "providers.anthropic.base_url": self.anthropic.base_url.removesuffix("/v1"),
            "providers.anthropic.api_key": KEY,
            "providers.local.base_url": self.local.base_url,
            "providers.local.api_key": "sk-local",
            "models.local.provider": "local",
            "models.local.upstream_model": "local-1",
            **(settings or {})})

    def __enter__(self):
        self.gateway.start()
        return self

    def __exit__(self, *what):
        self.gateway.__exit__(*what)
        self.anthropic.close()
        self.local.close()

    def chat(self, *fields, model="claude-sonnet-4-5", **members):
        """A chat completion's answer."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **members}
        return self.gateway.ask(post("/api/v1/chat/completions", json.dumps(body), self.gateway.authorization, *fields))

    def messages(self, *fields, model="claude-sonnet-4-5", path="/api/v1/messages", body=None, **members):
        """The answer of the Messages endpoint."""
        if body is None:
            body = json.dumps({"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}],
                               **members})
        return self.gateway.ask(post(path, body, *(fields or (self.gateway.authorization,))))

    def usage(self, model):
        """Sums of the database for a model: requests, fresh, read, written, output, reasoning."""
        with sqlite3.connect(self.gateway.folder / "var" / "concurred.db") as database:
            return database.execute(
                "SELECT coalesce(sum(requests), 0), coalesce(sum(prompt_tokens), 0), coalesce(sum(cache_read_tokens), 0), "
                "coalesce(sum(cache_write_tokens), 0), coalesce(sum(completion_tokens), 0), "
                "coalesce(sum(reasoning_tokens), 0) FROM usage_daily WHERE model LIKE ?", ("%" + model,)).fetchone()


def chunks(body):
    """The data of a stream for OpenAI's clients, parsed."""
    parts = [part for part in body.decode().split("\n\n") if part.startswith("data: ")]
    return [part[6:] if part == "data: [DONE]" else json.loads(part[6:]) for part in parts]


def events(body):
    """The events of a stream for Anthropic's clients: names and data agree."""
    found = []
    for part in body.decode().split("\n\n"):
        lines = part.splitlines()
        if lines and lines[0].startswith("event: "):
            data = json.loads(lines[1].removeprefix("data: "))
            assert lines[0] == "event: " + data["type"]
            found.append(data)
    return found
