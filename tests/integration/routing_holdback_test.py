"""Until content has come the client sees nothing of a failure, also after the silence in which its answer has begun; and
a client that leaves stops whatever is under way."""

import pytest

from fault_provider import TEXT
from routing_rig import routing_rig
from upstream_rig import eventually, needs_binary

pytestmark = needs_binary

# The client hears a comment after 200 ms; a provider may be silent for 700 ms.
rig = routing_rig("breaker_failures = 0", silence="200ms", first_token_timeout="700ms", idle_timeout="700ms")
COMMENT = b": keep-alive\n\n"


def test_a_stall_after_the_answer_has_begun_with_comments_still_fails_over(rig):
    model, spare = rig.model("stall-first"), rig.model(provider="b")
    got = rig.ask(model, stream=True, fallback=[spare])
    assert got.status == 200 and got.body.startswith(COMMENT)
    assert TEXT.encode() in got.body and got.events()[-1] == "[DONE]" and got.ended == "whole"
    assert got.head.get("x-concurred-fallback") is None  # the head was gone
    assert (rig.asked(model), rig.asked(spare)) == (1, 1)
    line = rig.line(model)
    assert (line["status"], line["end_reason"], line["fallback_from"]) == (200, "completed", model)
    assert line["model_served"] == spare and line["output_tokens"] == 2
    assert rig.gateway.usage_row(spare)["requests"] == 1


def test_when_none_answers_after_comments_there_is_one_clean_error(rig):
    model, spare = rig.model("stall-first"), rig.model("stall-first", "b")
    got = rig.ask(model, stream=True, fallback=[spare])
    assert got.status == 200 and got.body.startswith(COMMENT) and got.ended == "whole"
    assert got.last_error()["code"] == "UPSTREAM_TIMEOUT" and b"[DONE]" not in got.body
    line = rig.line(model)
    assert (line["status"], line["end_reason"]) == (200, "timeout")
    assert rig.gateway.usage_row(model)["requests"] == 1


def test_after_comments_a_whole_answer_takes_over_as_a_stream(rig):
    model, spare = rig.model("stall-first"), rig.model("not-a-stream", "b")
    got = rig.ask(model, stream=True, fallback=[spare])
    assert got.body.startswith(COMMENT) and got.events()[-1] == "[DONE]"
    chunks = [one for one in got.events() if isinstance(one, dict)]
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in chunks) == TEXT
    assert (rig.asked(spare), rig.line(model)["model_served"]) == (1, spare)


def test_comments_go_on_while_it_waits_to_repeat(rig):
    model = rig.model("stall-first-x1")
    got = rig.ask(model, stream=True)  # a stall is not repeated
    assert got.last_error()["code"] == "UPSTREAM_TIMEOUT"
    model = rig.model("status-503-later-x1")
    got = rig.ask(model, stream=True)
    assert got.body.count(COMMENT) >= 1 and got.events()[-1] == "[DONE]"
    assert rig.asked(model) == 2


def test_a_wait_alone_is_long_enough_for_comments(rig):
    model = rig.model("status-503-asks-x1")
    got = rig.ask(model, stream=True)
    assert got.body.count(COMMENT) >= 3 and got.events()[-1] == "[DONE]"


def test_an_answer_that_is_no_stream_waits_without_comments(rig):
    model, spare = rig.model("stall-later"), rig.model(provider="b")
    got = rig.ask(model, fallback=[spare])
    assert got.json()["choices"][0]["message"]["content"] == TEXT
    assert got.head["x-concurred-fallback"] == f"{model};timeout"


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize(("fault", "reads"), [("stall-first", False), ("stall-first", True), ("status-429-wait", False),
                                              ("status-429-wait", True)])
def test_a_client_that_leaves_stops_it_whatever_it_waits_for(rig, fault, reads, abruptly):
    model = rig.model(fault, "c")
    call = rig.gateway.start(model, stream=True, timeout=60_000)
    eventually(lambda: rig.asked(model) == 1, "the first attempt")
    if reads:
        call.until(COMMENT)
    call.leave(abruptly)
    rig.gateway.at_rest()
    line = rig.line(model)
    assert line["end_reason"] == "client_closed" and line["duration_ms"] < 5_000
    eventually(lambda: rig.gateway.usage_row(model)["requests"] == 1, "its record")
    assert rig.asked(model) == 1


def test_a_request_whose_fallback_waits_holds_its_body_until_then(rig):
    model, spare = rig.model("stall-first"), rig.model("echo-length", "b")
    text = "x" * 300_000
    got = rig.ask(model, stream=True, fallback=[spare], user=text)
    assert b"300000" in got.body and got.events()[-1] == "[DONE]"
