"""OpenAI's SDK for Python: errors and what can be read from them."""

import re
import time

import openai
import pytest

from conftest import API_KEY, BASE_URL, FIVE_TOKENS, KEY_1_PER_MINUTE, MESSAGES, REQUEST_ID, exhaust


def check(e, kind, status, **fields):
    """Checks class and fields of an error that came as an HTTP answer."""
    assert type(e) is kind
    assert e.status_code == status
    assert {name: getattr(e, name) for name in fields} == fields
    assert REQUEST_ID.fullmatch(e.request_id)
    assert e.body["message"]
    assert isinstance(e.body["details"], dict)


def failure_of(call, *arguments, **fields):
    with pytest.raises(openai.APIError) as caught:
        call(*arguments, **fields)
    return caught.value


# Of the gateway

def test_a_key_that_is_not_valid(client):
    e = failure_of(client.with_options(api_key="ck_thisKeyDoesNotExist").models.list)
    check(e, openai.AuthenticationError, 401, code="INVALID_API_KEY", type="authentication_error")
    assert e.response.headers["www-authenticate"].startswith("Bearer")


def test_a_limit_that_is_used_up(client, mock):
    exhaust(KEY_1_PER_MINUTE, 1)
    e = failure_of(client.with_options(api_key=KEY_1_PER_MINUTE).chat.completions.create,
                   model="answer", messages=MESSAGES)
    check(e, openai.RateLimitError, 429, code="RATE_LIMIT_EXCEEDED", type="rate_limit_error")
    headers = e.response.headers
    assert 1 <= int(headers["retry-after"]) <= 60
    assert 1 <= int(headers["retry-after-ms"]) <= 1000 * int(headers["retry-after"])
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("1", "0")
    assert int(headers["x-ratelimit-reset"]) >= int(time.time())
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("1", "0")
    assert re.fullmatch(r"(\d+m)?\d+(\.\d+)?m?s", headers["x-ratelimit-reset-requests"])
    assert e.body["details"]["retryAfter"] == int(headers["retry-after"])
    assert mock.ledger()["requests"] == 0


def test_a_model_that_does_not_exist(client):
    e = failure_of(client.chat.completions.create, model="no-such-model", messages=MESSAGES)
    check(e, openai.BadRequestError, 400, code="INVALID_MODEL", param="model", type="invalid_request_error")
    assert "no-such-model" in str(e)


def test_a_field_that_is_missing(client):
    e = failure_of(client.chat.completions.create, model="answer", messages=openai.omit)
    check(e, openai.BadRequestError, 400, code="MISSING_REQUIRED_FIELD", param="messages")


def test_a_model_that_cannot_be_retrieved(client):
    check(failure_of(client.models.retrieve, "no-such-model"), openai.NotFoundError, 404, code="NOT_FOUND")


def test_an_api_that_is_not_offered(client):
    e = failure_of(client.moderations.create, input="Hello")
    check(e, openai.NotFoundError, 404, code="NOT_FOUND")


def test_a_base_url_with_v1_alone_is_answered_with_the_right_one(client):
    lost = client.with_options(base_url=BASE_URL.replace("/api/v1", "/v1"))
    e = failure_of(lost.chat.completions.create, model="answer", messages=MESSAGES)
    check(e, openai.NotFoundError, 404)
    assert "/api/v1" in str(e)


# Of the provider

@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("model, kind, status, fields", [
    ("status-400", openai.BadRequestError, 400, {"type": "invalid_request_error"}),
    ("status-400-context", openai.BadRequestError, 400, {"code": "context_length_exceeded"}),
    ("status-401", openai.InternalServerError, 502, {"code": "upstream_authentication_failed"}),
    ("status-403", openai.InternalServerError, 502, {"code": "upstream_authentication_failed"}),
    ("status-404", openai.NotFoundError, 404, {"code": "model_not_found"}),
    ("status-409", openai.ConflictError, 409, {}),
    ("status-422", openai.UnprocessableEntityError, 422, {}),
    ("status-429", openai.RateLimitError, 429, {"code": "rate_limit_exceeded", "type": "rate_limit_error"}),
    ("status-429-quota", openai.RateLimitError, 429, {"code": "insufficient_quota", "type": "insufficient_quota"}),
    ("status-500", openai.InternalServerError, 502, {"code": "UPSTREAM_ERROR", "type": "server_error"}),
    ("status-503", openai.InternalServerError, 503, {"type": "server_error"}),
    ("breaks-at-once", openai.InternalServerError, 502, {"code": "UPSTREAM_ERROR"}),
])
def test_an_error_of_the_provider(client, model, kind, status, fields, stream):
    e = failure_of(client.chat.completions.create, model=model, messages=MESSAGES, stream=stream)
    check(e, kind, status, **fields)


def test_the_wait_that_a_provider_asks_for_is_passed_on(client):
    e = failure_of(client.chat.completions.create, model="status-429", messages=MESSAGES)
    assert (e.response.headers["retry-after-ms"], e.response.headers["retry-after"]) == ("6500", "7")


def test_a_stream_that_fails_before_its_content_is_a_true_http_error(client):
    e = failure_of(client.chat.completions.create, model="fails-at-once", messages=MESSAGES, stream=True)
    check(e, openai.InternalServerError, 502)


# In a stream

@pytest.mark.parametrize("model, message", [
    ("fails-midway", "The server had an error"),
    ("breaks-midway", "provider 'breaks-midway'"),
])
def test_an_error_in_a_stream_follows_what_had_come(client, model, message):
    text = ""
    with pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(model=model, messages=MESSAGES, stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text and FIVE_TOKENS.startswith(text)
    assert type(caught.value) is openai.APIError
    assert message in caught.value.message
    assert caught.value.type == "server_error"
    answer = client.chat.completions.create(model="answer", messages=MESSAGES)
    assert answer.choices[0].message.content == FIVE_TOKENS


def test_the_key_is_in_no_error(client):
    e = failure_of(client.chat.completions.create, model="status-401", messages=MESSAGES)
    assert API_KEY not in e.response.text
    assert "sk-mock" not in e.response.text
