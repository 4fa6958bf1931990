"""OpenAI's SDK for Python with every provider."""

import json

import openai

from conftest import API_KEY, BASE_URL, PATIENCE
from matrix import Answer, check, further_cells


def to_messages(talk):
    for turn in talk:
        if "answer" in turn:
            yield turn["answer"].raw
        elif "results" in turn:
            for identity, content in turn["results"]:
                yield {"role": "tool", "tool_call_id": identity, "content": content}
        elif "image" in turn:
            url = "data:image/png;base64," + turn["image"]
            yield {"role": "user", "content": [{"type": "text", "text": turn["user"]},
                                               {"type": "image_url", "image_url": {"url": url}}]}
        else:
            yield {"role": "user", "content": turn["user"]}


class Driver:
    name = "openai (Python)"
    error = openai.APIStatusError
    unavailable = "InternalServerError"
    gaps = {}

    def __init__(self):
        self.client = openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0, timeout=PATIENCE)

    def missing(self):
        return None

    def ask(self, model, talk, stream=False, tools=(), schema=None, effort=None):
        request = {"model": model, "messages": list(to_messages(talk))}
        if tools:
            request["tools"] = [{"type": "function", "function": tool} for tool in tools]
        if schema:
            request["response_format"] = {"type": "json_schema",
                                          "json_schema": {"name": "city", "schema": schema, "strict": True}}
        if effort:
            request["reasoning_effort"] = effort
        reasoning = ""
        if stream:
            with self.client.chat.completions.stream(**request, stream_options={"include_usage": True}) as helper:
                for event in helper:
                    if event.type == "chunk" and event.chunk.choices:
                        reasoning += getattr(event.chunk.choices[0].delta, "reasoning_content", None) or ""
                completion = helper.get_final_completion()
        else:
            completion = self.client.chat.completions.create(**request)
            reasoning = getattr(completion.choices[0].message, "reasoning_content", None) or ""
        message, usage = completion.choices[0].message, completion.usage
        return Answer(
            text=message.content, reasoning=reasoning,
            finish={"stop": "stop", "tool_calls": "tools"}[completion.choices[0].finish_reason],
            calls=[(call.id, call.function.name, json.loads(call.function.arguments))
                   for call in message.tool_calls or ()],
            usage={"input": usage.prompt_tokens, "output": usage.completion_tokens,
                   "cached": (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0,
                   "reasoning": (usage.completion_tokens_details and
                                 usage.completion_tokens_details.reasoning_tokens) or 0},
            raw=message)

    def abandon(self, model):
        with self.client.chat.completions.create(model=model, messages=list(to_messages([{"user": "Hello"}])),
                                                 stream=True) as stream:
            next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)

    def respond(self, model, stream):
        request = {"model": model, "input": "Hello there"}
        if stream:
            with self.client.responses.stream(**request) as helper:
                answer = helper.until_done().get_final_response()
        else:
            answer = self.client.responses.create(**request)
        return answer.output_text, (answer.usage.input_tokens, answer.usage.output_tokens)

    def embed(self, model, texts):
        return [one.embedding for one in self.client.embeddings.create(model=model, input=texts, dimensions=4).data]


DRIVER = Driver()


@further_cells[0]
@further_cells[1]
def test_matrix(feature, provider, mock):
    check(DRIVER, feature, provider, mock)
