"""OpenAI's SDK for Python: going away, timeouts, repeated requests, and its asynchronous half."""

import asyncio

import openai
import pytest

from conftest import (API_KEY, BASE_URL, FIVE_TOKENS, KEY_60_PER_MINUTE, MESSAGES, PATIENCE, Attempts, exhaust,
                      until_lucky)


def until_content(stream):
    for chunk in stream:
        if chunk.choices[0].delta.content:
            return
    raise AssertionError("the stream had no content")


# Going away stops the provider

def test_closing_a_stream(client, mock):
    stream = client.chat.completions.create(model="slow", messages=MESSAGES, stream=True)
    until_content(stream)
    stream.close()
    mock.stopped_at("streaming")


def test_leaving_the_block_of_a_stream(client, mock):
    with client.chat.completions.create(model="slow", messages=MESSAGES, stream=True) as stream:
        until_content(stream)
    mock.stopped_at("streaming")


def test_leaving_the_helper_with_events(client, mock):
    with client.chat.completions.stream(model="slow", messages=MESSAGES) as stream:
        next(event for event in stream if event.type == "content.delta")
    mock.stopped_at("streaming")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_timeout_of_the_client(client, mock, stream):
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1.0).chat.completions.create(model="hangs", messages=MESSAGES, stream=stream)
    mock.stopped_at("waiting")


def test_a_timeout_in_the_middle_of_a_stream(client, mock):
    # Silence after two tokens: the client's patience is between two reads.
    with pytest.raises(openai.APITimeoutError):
        for _ in client.with_options(timeout=1.0).chat.completions.create(
                model="stalls", messages=MESSAGES, stream=True):
            pass
    mock.stopped_at("streaming")


# Repeated requests

def test_a_refusal_for_a_short_time_is_repeated_after_the_wait_that_retry_after_ms_tells(mock):
    def ask():
        with Attempts() as made:
            answer = made.client().chat.completions.create(model="busy-once", messages=MESSAGES)
        assert answer.choices[0].message.content == FIVE_TOKENS
        return made

    attempts = until_lucky(mock, ask, lambda made: made.pause_ms >= 1000)
    assert attempts.statuses == [429, 200]
    assert attempts.answers[0].headers["retry-after-ms"] == "60"
    # Neither the 9 s of the provider's retry-after nor a second, which is ours rounded up.
    assert 59 <= attempts.pause_ms < 1000
    assert mock.ledger()["requests"] == 2


def test_a_stream_is_repeated_too_as_long_as_nothing_of_it_has_come(mock):
    with Attempts() as attempts:
        stream = attempts.client().chat.completions.create(model="overloaded-twice", messages=MESSAGES, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == FIVE_TOKENS
    assert attempts.statuses == [503, 503, 200]
    assert mock.ledger()["requests"] == 3


def test_a_key_over_its_limit_is_served_after_the_wait_it_was_told(mock):
    def ask():
        exhaust(KEY_60_PER_MINUTE, 600)
        with Attempts() as made:
            answer = made.client(KEY_60_PER_MINUTE).chat.completions.create(model="answer", messages=MESSAGES)
        assert answer.choices[0].message.content == FIVE_TOKENS
        return made

    attempts = until_lucky(mock, ask, lambda made: made.statuses == [200])
    assert attempts.statuses == [429, 200]
    assert attempts.pause_ms >= float(attempts.answers[0].headers["retry-after-ms"]) - 1
    assert mock.ledger()["requests"] == 1


def test_what_is_wrong_with_the_request_itself_is_not_repeated(mock):
    with Attempts() as attempts, pytest.raises(openai.BadRequestError):
        attempts.client().chat.completions.create(model="status-400", messages=MESSAGES)
    assert len(attempts.sent) == 1


def test_a_stream_that_broke_after_content_is_not_repeated(mock):
    with Attempts() as attempts, pytest.raises(openai.APIError):
        list(attempts.client().chat.completions.create(model="breaks-midway", messages=MESSAGES, stream=True))
    assert len(attempts.sent) == 1
    assert mock.ledger()["requests"] == 1


# The asynchronous client

def run_async(work):
    async def with_client():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0, timeout=PATIENCE) as client:
            return await asyncio.wait_for(work(client), 2 * PATIENCE)

    return asyncio.run(with_client())


def test_asynchronous_answers_side_by_side(mock):
    async def work(client):
        return await asyncio.gather(*(client.chat.completions.create(model="answer", messages=MESSAGES)
                                      for _ in range(20)))

    answers = run_async(work)
    assert [answer.choices[0].message.content for answer in answers] == [FIVE_TOKENS] * 20
    assert mock.ledger()["requests"] == 20


def test_an_asynchronous_stream(mock):
    async def work(client):
        stream = await client.chat.completions.create(model="answer", messages=MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert run_async(work) == FIVE_TOKENS


def test_an_error_in_an_asynchronous_stream(mock):
    async def work(client):
        async for _ in await client.chat.completions.create(model="fails-midway", messages=MESSAGES, stream=True):
            pass

    with pytest.raises(openai.APIError, match="The server had an error"):
        run_async(work)


def test_cancelling_a_task_in_the_middle_of_a_stream(mock):
    async def work(client):
        content = asyncio.Event()

        async def read():
            async for chunk in await client.chat.completions.create(model="slow", messages=MESSAGES, stream=True):
                if chunk.choices[0].delta.content:
                    content.set()

        task = asyncio.create_task(read())
        await content.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(mock.stopped_at, "streaming")

    run_async(work)


def test_cancelling_a_task_while_nothing_has_come(mock):
    async def work(client):
        task = asyncio.create_task(client.chat.completions.create(model="hangs", messages=MESSAGES))
        await asyncio.to_thread(mock.when, lambda ledger: ledger["in_progress"] == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(mock.stopped_at, "waiting")

    run_async(work)
