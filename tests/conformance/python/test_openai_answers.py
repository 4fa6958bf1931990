"""OpenAI's SDK for Python: models, completions and streams."""

import pydantic

from conftest import API_KEY, FIVE_TOKENS, MESSAGES, REQUEST_ID


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# Models

def test_the_list_can_be_iterated_and_names_aliases_and_models(client):
    models = {model.id: model for model in client.models.list()}
    assert models["answer"].object == "model"
    assert isinstance(models["answer"].created, int)
    assert models["answer"].owned_by
    assert models["gpt"].alias_of == "gpt-5.2"
    assert "gpt-5.2" in models


def test_a_model_can_be_retrieved_also_one_with_a_slash_in_its_name(client):
    model = client.models.retrieve("answer")
    assert model.id == "answer"
    assert REQUEST_ID.fullmatch(model._request_id)
    assert client.models.retrieve("deepseek/deepseek-v3.2").id == "deepseek/deepseek-v3.2"


# Completions

def test_an_answer_has_content_reason_usage_and_request_id(client):
    answer = client.chat.completions.create(model="answer", messages=MESSAGES)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == FIVE_TOKENS
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 5, 16)
    assert REQUEST_ID.fullmatch(answer._request_id)


def test_details_of_usage_arrive(client):
    usage = client.chat.completions.create(model="details", messages=MESSAGES).usage
    assert usage.prompt_tokens_details.cached_tokens == 8
    assert usage.completion_tokens_details.reasoning_tokens == 7


def test_a_limit_of_tokens_reaches_the_provider(client):
    answer = client.chat.completions.create(model="answer", messages=MESSAGES, max_completion_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_an_alias_answers_with_the_id_of_its_model(client):
    assert client.chat.completions.create(model="gpt", messages=MESSAGES).model == "gpt-5.2"


def test_headers_of_the_answer_can_be_read(client):
    raw = client.chat.completions.with_raw_response.create(model="answer", messages=MESSAGES)
    assert raw.parse().choices[0].message.content == FIVE_TOKENS
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-request-id"] == raw.request_id
    assert "gateway;dur=" in raw.headers["server-timing"]
    assert raw.headers["x-ratelimit-limit-requests"] == "1000000"
    assert raw.headers["x-ratelimit-remaining-requests"].isdigit()


def test_fields_that_are_not_known_here_reach_the_provider_what_is_the_gateways_own_does_not(client, mock):
    client.chat.completions.create(model="answer", messages=MESSAGES, seed=7, extra_body={"of_its_own": {"a": 1}})
    head, body = mock.last_request()
    assert body["seed"] == 7
    assert body["of_its_own"] == {"a": 1}
    assert body["messages"] == MESSAGES
    assert "x-stainless" not in head.lower()
    assert API_KEY not in head


class City(pydantic.BaseModel):
    city: str


def test_an_answer_in_a_schema_can_be_parsed(client, mock):
    answer = client.chat.completions.parse(
        model="echo", messages=[{"role": "user", "content": '{"city":"Paris"}'}], response_format=City)
    assert answer.choices[0].message.parsed == City(city="Paris")
    assert mock.last_request()[1]["response_format"]["json_schema"]["name"] == "City"


# Streams

def test_the_content_arrives_iteration_ends_and_there_is_no_usage_that_nobody_asked_for(client):
    chunks = list(client.chat.completions.create(model="answer", messages=MESSAGES, stream=True))
    assert text_of(chunks) == FIVE_TOKENS
    assert all(chunk.object == "chat.completion.chunk" for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(len(chunk.choices) == 1 and chunk.usage is None for chunk in chunks)


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_asked_for(client):
    chunks = list(client.chat.completions.create(
        model="answer", messages=MESSAGES, stream=True, stream_options={"include_usage": True}))
    assert text_of(chunks) == FIVE_TOKENS
    assert chunks[-1].choices == []
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (11, 5)
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_head_of_a_stream_can_be_read(client):
    raw = client.chat.completions.with_raw_response.create(model="answer", messages=MESSAGES, stream=True)
    assert REQUEST_ID.fullmatch(raw.request_id)
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.headers["x-accel-buffering"] == "no"
    assert text_of(list(raw.parse())) == FIVE_TOKENS


def test_text_that_is_cut_anywhere_on_its_way_comes_out_whole(client):
    content = 'Grüße aus Köln: 😀 — "ein" \\ Satz\nund noch einer'
    chunks = client.chat.completions.create(
        model="echo-in-shreds", messages=[{"role": "user", "content": content}], stream=True)
    assert text_of(list(chunks)) == content


def test_the_helper_with_events_puts_the_answer_together(client):
    with client.chat.completions.stream(
            model="answer", messages=MESSAGES, stream_options={"include_usage": True}) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        answer = stream.get_final_completion()
    assert "".join(pieces) == FIVE_TOKENS
    assert answer.choices[0].message.content == FIVE_TOKENS
    assert answer.usage.total_tokens == 16


def test_a_connection_serves_many_streams(client):
    for _ in range(5):
        assert text_of(list(client.chat.completions.create(
            model="answer", messages=MESSAGES, stream=True))) == FIVE_TOKENS
