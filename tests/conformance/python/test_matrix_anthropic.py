"""Anthropic's SDK for Python with every provider, through /api/v1/messages."""

import functools

import anthropic

from conftest import API_KEY, BASE_URL, PATIENCE
from matrix import Answer, cells, check


def to_messages(talk):
    for turn in talk:
        if "answer" in turn:
            yield {"role": "assistant", "content": turn["answer"].raw}
        elif "results" in turn:
            yield {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": identity, "content": content}
                for identity, content in turn["results"]]}
        elif "image" in turn:
            source = {"type": "base64", "media_type": "image/png", "data": turn["image"]}
            yield {"role": "user", "content": [{"type": "image", "source": source},
                                               {"type": "text", "text": turn["user"]}]}
        else:
            yield {"role": "user", "content": turn["user"]}


class Driver:
    name = "anthropic (Python)"
    error = anthropic.APIStatusError
    unavailable = "ServiceUnavailableError"
    gaps = {}

    def __init__(self):
        # The SDK appends /v1/messages.
        self.client = anthropic.Anthropic(base_url=BASE_URL.removesuffix("/v1"), api_key=API_KEY, max_retries=0,
                                          timeout=PATIENCE)

    @functools.cache
    def missing(self):
        try:
            self.client.messages.create(model="answer", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])
        except anthropic.NotFoundError:
            return "the gateway has no /api/v1/messages"
        return None

    def ask(self, model, talk, stream=False, tools=(), schema=None, effort=None):
        request = {"model": model, "max_tokens": 2048, "messages": list(to_messages(talk))}
        if tools:
            request["tools"] = [{"name": tool["name"], "description": tool["description"],
                                 "input_schema": tool["parameters"]} for tool in tools]
        if schema:
            request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if effort:
            request["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if stream:
            with self.client.messages.stream(**request) as helper:
                message = helper.get_final_message()
        else:
            message = self.client.messages.create(**request)
        usage = message.usage
        cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        of_type = {kind: [block for block in message.content if block.type == kind]
                   for kind in ("text", "thinking", "tool_use")}
        return Answer(
            text="".join(block.text for block in of_type["text"]),
            reasoning="".join(block.thinking for block in of_type["thinking"]),
            finish={"end_turn": "stop", "tool_use": "tools"}[message.stop_reason],
            calls=[(block.id, block.name, block.input) for block in of_type["tool_use"]],
            usage={"input": usage.input_tokens + cached + written, "output": usage.output_tokens, "cached": cached,
                   "reasoning": None},
            raw=[block.model_dump(exclude_none=True, include={
                "text": {"type", "text"}, "thinking": {"type", "thinking", "signature"},
                "tool_use": {"type", "id", "name", "input"}}.get(block.type)) for block in message.content])

    def abandon(self, model):
        with self.client.messages.create(model=model, max_tokens=4096, messages=list(to_messages([{"user": "Hello"}])),
                                         stream=True) as stream:
            next(event for event in stream if event.type == "content_block_delta")


DRIVER = Driver()


@cells[0]
@cells[1]
def test_matrix(feature, provider, mock):
    check(DRIVER, feature, provider, mock)
