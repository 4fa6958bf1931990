"""The gateway's own repeats and fallbacks, as OpenAI's SDK for Python sees them: it makes one request."""

import openai
import pytest

from conftest import FIVE_TOKENS, MESSAGES, Attempts


def test_the_gateway_repeats_what_passes_and_the_sdk_sees_one_answer(mock):
    with Attempts() as attempts:
        answer = attempts.client().chat.completions.create(model="busy-once", messages=MESSAGES,
                                                           extra_body={"retries": 1})
    assert answer.choices[0].message.content == FIVE_TOKENS
    assert attempts.statuses == [200] and mock.ledger()["requests"] == 2


def test_a_stream_too_as_long_as_nothing_of_it_has_come(mock):
    with Attempts() as attempts:
        stream = attempts.client().chat.completions.create(model="overloaded-twice", messages=MESSAGES, stream=True,
                                                           extra_body={"retries": 2})
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == FIVE_TOKENS
    assert attempts.statuses == [200] and mock.ledger()["requests"] == 3


def test_what_the_gateway_repeated_in_vain_the_sdk_does_not_repeat(mock):
    with Attempts() as attempts, pytest.raises(openai.InternalServerError):
        attempts.client().chat.completions.create(model="fails-at-once", messages=MESSAGES, stream=True,
                                                  extra_body={"retries": 1})
    assert len(attempts.sent) == 1 and mock.ledger()["requests"] == 2


@pytest.mark.parametrize("failing", ["status-500", "status-429", "status-401", "breaks-at-once"])
def test_another_model_answers_in_its_place(client, mock, failing):
    got = client.chat.completions.with_raw_response.create(model=failing, messages=MESSAGES,
                                                           extra_body={"retries": 0, "fallback": ["answer"]})
    assert got.parse().choices[0].message.content == FIVE_TOKENS
    assert got.headers["x-concurred-fallback"].startswith(failing + ";")
    assert got.parse().model == "answer"
    # A key that was refused before, by another test, rests: then its provider is not even asked.
    assert mock.ledger()["requests"] == (1 if got.headers["x-concurred-fallback"].endswith(";key_resting") else 2)


def test_the_time_of_the_request_is_a_timeout_of_the_provider(client, mock):
    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(model="hangs", messages=MESSAGES, extra_body={"timeout": 300})
    assert failure.value.status_code == 504 and failure.value.code == "UPSTREAM_TIMEOUT"
    mock.stopped_at("waiting")
