"""What the tests of the Python SDK share: addresses and keys from the starter, and the mock provider's ledger."""

import json
import os
import re
import time
import urllib.error
import urllib.request

import openai
import pytest

PATIENCE = 20.0  # seconds; a watchdog, not a wait


def from_starter(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: start the tests with tests/conformance/run.sh"
    return value


BASE_URL = from_starter("CONCURRED_BASE_URL")
API_KEY = from_starter("CONCURRED_API_KEY")
KEY_1_PER_MINUTE = from_starter("CONCURRED_API_KEY_1_PER_MINUTE")
KEY_60_PER_MINUTE = from_starter("CONCURRED_API_KEY_60_PER_MINUTE")
MOCK_URL = from_starter("CONCURRED_MOCK_URL")

# A request id of the gateway: a UUID of version 7.
REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

FIVE_TOKENS = "The quick brown fox "  # what the mock provider says with five tokens of four characters
MESSAGES = [{"role": "user", "content": "Hello there"}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather at a place",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    },
}


class Mock:
    """The provider's side."""

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(MOCK_URL + "/mock/reset", method="POST"), timeout=PATIENCE).read()

    def ledger(self):
        with urllib.request.urlopen(MOCK_URL + "/mock/ledger", timeout=PATIENCE) as answer:
            return json.load(answer)

    def when(self, condition):
        """The ledger, once `condition(ledger)` holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ledger = self.ledger()
            if condition(ledger):
                return ledger
            assert time.monotonic() < deadline, f"waited in vain: {ledger}"
            time.sleep(0.005)

    def stopped_at(self, stage):
        """Checks that the provider saw its one request end at that stage."""
        ledger = self.when(lambda seen: seen["aborted"] == 1 and seen["in_progress"] == 0)
        assert ledger["requests"] == 1
        assert ledger["aborts"][-1]["stage"] == stage

    def last_request(self):
        """Head and body of what it received last."""
        with urllib.request.urlopen(MOCK_URL + "/mock/requests/last", timeout=PATIENCE) as answer:
            text = answer.read()
            size = int(answer.headers["x-mock-head-length"])
        return text[:size].decode(), json.loads(text[size:])


@pytest.fixture
def mock():
    mock = Mock()
    mock.reset()
    return mock


@pytest.fixture
def client(mock):
    """A client that does not repeat requests by itself."""
    with openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0, timeout=PATIENCE) as made:
        yield made


class Attempts:
    """An HTTP client that notes when each attempt began and what came back."""

    def __init__(self):
        self.sent = []
        self.answers = []
        self.answered = []
        self.http_client = openai.DefaultHttpxClient(
            event_hooks={"request": [self._request], "response": [self._response]})

    def _request(self, request):
        self.sent.append(time.monotonic())

    def _response(self, response):
        self.answers.append(response)
        self.answered.append(time.monotonic())

    @property
    def statuses(self):
        return [answer.status_code for answer in self.answers]

    @property
    def pause_ms(self):
        """The time between the first attempt's answer and the second attempt."""
        return (self.sent[1] - self.answered[0]) * 1000

    def client(self, key=API_KEY):
        """A client that repeats requests, as it does if nothing is said."""
        return openai.OpenAI(base_url=BASE_URL, api_key=key, http_client=self.http_client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http_client.close()


def until_lucky(mock, experiment, unlucky):
    """Makes an experiment again while `unlucky(its outcome)`, a few times at most: on a busy machine anything may come
    late, but not always."""
    for left in reversed(range(5)):
        mock.reset()
        outcome = experiment()
        if not left or not unlucky(outcome):
            return outcome


def exhaust(key, wait_ms):
    """Uses up a key until it is told to wait for at least `wait_ms`."""
    deadline = time.monotonic() + PATIENCE
    request = urllib.request.Request(BASE_URL + "/models/answer", headers={"Authorization": "Bearer " + key})
    while True:
        assert time.monotonic() < deadline, "the key is not used up"
        try:
            urllib.request.urlopen(request, timeout=PATIENCE).read()
        except urllib.error.HTTPError as e:
            e.read()
            if e.code == 429 and float(e.headers["retry-after-ms"]) >= wait_ms:
                return
