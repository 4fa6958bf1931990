"""What a provider receives: the client's bytes, and of its head nothing."""

import json
import random

import pytest

from upstream_rig import Scenarios, needs_binary, rig, upstream_request

pytestmark = needs_binary

SCENARIOS = Scenarios()
PLAIN = SCENARIOS.mock("tokens=2")
RENAMED = SCENARIOS.model("house-model", provider=PLAIN, upstream_model="mock-tokens:4", input_price=1.0,
                          output_price=2.0)
gateway = rig(SCENARIOS)

ODD = (b' {\t"temperature" : 1.0,\r\n "seed":1e5, "top_p":0.10000000000000000000000001 ,"big":123456789012345678901234567890,'
       b'"zebra":[1 , 2,{"b":1,"a":2}],"caf\xc3\xa9":"\xf0\x9f\x98\x80\\u00e9\\/\\ud83d\\ude00", "model" :"%s" ,'
       b'"messages":[ {"role":"user","content":"tab\\tquote\\" \xe2\x80\xa8 \xed\x9f\xbf"} ],'
       b'"stop":null,"logit_bias":{"50256":-100},"x_unknown":{"deep":[[[[]]]]},"neg":-0.0,"exp":1E+2}  ')


def sent(gateway, body, **how):
    """What the provider got when a client sent `body`."""
    answer = gateway.ask(None, body=body, **how)
    assert answer.status == 200, answer.body
    return upstream_request(gateway)


def test_a_body_goes_through_byte_for_byte_but_for_the_model(gateway):
    name = gateway.name(PLAIN).encode()
    _, body = sent(gateway, ODD % name)
    assert body == ODD % name.split(b"/", 1)[1]


def test_the_model_is_replaced_wherever_it_stands(gateway):
    for text in (b'{"model":"%s","messages":[{"role":"user","content":"a"}],"n":1}',
                 b'{"messages":[{"role":"user","content":"model"}],"model":"%s"}',
                 b'{"messages":[{"role":"user","content":"\\"model\\":\\"gpt\\"","model":"inner"}] , "model" : "%s" }'):
        _, body = sent(gateway, text % RENAMED.encode())
        assert body == text % b"mock-tokens:4"


@pytest.mark.parametrize(("before", "after"), [
    (b'{"model":"M","messages":[1],"stream":true}',
     b'{"model":"M","messages":[1],"stream":true,"stream_options":{"include_usage":true}}'),
    (b'{"stream":true ,"stream_options":{ } ,"model":"M","messages":[1] }',
     b'{"stream":true ,"stream_options":{"include_usage":true } ,"model":"M","messages":[1] }'),
    (b'{"stream":true,"stream_options":{"include_obfuscation":false},"model":"M","messages":[1]}',
     b'{"stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true},"model":"M","messages":[1]}'),
    (b'{"stream":true,"stream_options":{"include_usage" : false, "x":1},"model":"M","messages":[1]}',
     b'{"stream":true,"stream_options":{"include_usage" : true, "x":1},"model":"M","messages":[1]}'),
    (b'{"stream":true,"stream_options":null,"model":"M","messages":[1]}',
     b'{"stream":true,"stream_options":{"include_usage":true},"model":"M","messages":[1]}'),
    (b'{"stream":true,"stream_options":{"include_usage":true},"model":"M","messages":[1]}', None),
    (b'{"stream":false,"model":"M","messages":[1]}', None),
    (b'{"stream":null,"model":"M","messages":[1]}', None),
])
def test_usage_is_asked_for_in_streams_only(gateway, before, after):
    message = b'{"role":"user","content":"hi"}'
    name = gateway.name(PLAIN).encode()
    fill = lambda text, model: text.replace(b"[1]", b"[" + message + b"]").replace(b'"M"', b'"' + model + b'"')
    _, body = sent(gateway, fill(before, name))
    assert body == fill(after or before, name.split(b"/")[1])


def test_fields_of_the_gateway_are_taken_out(gateway):
    name = gateway.name(PLAIN).encode()
    body = (b'{"retries":2, "model":"%s","fallback":["gpt-4.1"],"messages":[{"role":"user","content":"hi","retries":1}],'
            b'"timeout":1000,"guardrails":{"input":["pii"]} , "load_balance":{"strategy":"random","models":[{"model":"%s"}]},"user":"u1",'
            b'"prompt_id":"p","prompt_version":1,"prompt_variables":{"a":"b"}}') % (name, name)
    _, received = sent(gateway, body)
    assert json.loads(received) == {"model": name.split(b"/")[1].decode(), "user": "u1",
                                    "messages": [{"role": "user", "content": "hi", "retries": 1}]}


def conversation(turns):
    """A long talk with tools, always the same."""
    dice = random.Random(7)
    words = "invoice Größe 東京 deploy `kubectl get pods -n prod` naïve 🙂 \"quoted\" C:\\temp\\x line\nbreak tab\t".split(" ")
    talk = [{"role": "system", "content": "You are the operator's assistant. Answer briefly.\n" + "Rule. " * 200}]
    for turn in range(turns):
        talk.append({"role": "user", "content": " ".join(dice.choices(words, k=60))})
        calls = [{"id": f"call_{turn}_{i}", "type": "function",
                  "function": {"name": dice.choice(["get_weather", "run_query"]),
                               "arguments": json.dumps({"q": " ".join(dice.choices(words, k=8)), "limit": i})}}
                 for i in range(dice.randint(1, 3))]
        talk.append({"role": "assistant", "content": None, "tool_calls": calls})
        talk += [{"role": "tool", "tool_call_id": call["id"],
                  "content": json.dumps({"rows": [dice.random() for _ in range(20)], "ok": True, "at": None})}
                 for call in calls]
        talk.append({"role": "assistant", "content": " ".join(dice.choices(words, k=80)), "refusal": None})
    talk.append({"role": "user", "content": "And now?"})
    return talk


TOOLS = [{"type": "function", "function": {
    "name": name, "description": "Gets it. " * 20, "strict": True,
    "parameters": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                   "properties": {"q": {"type": "string", "pattern": "^\\S+$"}, "limit": {"type": "integer"}},
                   "required": ["q", "limit"], "additionalProperties": False}}} for name in ("get_weather", "run_query")]


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_of_60_turns_with_tools_goes_through(gateway, stream):
    fields = {"messages": conversation(60), "tools": TOOLS, "tool_choice": "auto", "parallel_tool_calls": True,
              "temperature": 0.2}
    if stream:
        fields["stream"] = True
    name = gateway.name(PLAIN)
    body = json.dumps({"model": name, **fields}, ensure_ascii=not stream, indent=1).encode()
    _, received = sent(gateway, body)
    expected = body.replace(name.encode(), name.split("/")[1].encode(), 1)
    if stream:
        assert expected.endswith(b"true\n}")
        expected = expected[:-2] + b',"stream_options":{"include_usage":true}' + expected[-2:]
    assert received == expected


def test_a_prompt_of_1_mib_goes_through(gateway):
    name = gateway.name(PLAIN)
    text = "".join(random.Random(3).choices("abcdefghij klmnop\nqrstuvwxyz äöü €", k=1 << 20))
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": text}]}).encode()
    assert len(body) > 1 << 20
    _, received = sent(gateway, body)
    assert received == body.replace(name.encode(), name.split("/")[1].encode(), 1)


def test_nothing_of_the_clients_head_goes_upstream(gateway):
    secrets = ["Cookie: session=canary1", "X-API-Key: " + gateway.key, "OpenAI-Organization: org-canary2",
               "X-Forwarded-For: 1.2.3.4", "Forwarded: for=canary3", "traceparent: 00-canary4", "X-Request-ID: canary5",
               "User-Agent: canary6", "X-Canary: canary7", "Proxy-Authorization: Basic canary8", "TE: trailers",
               "Connection: keep-alive, X-Canary", "Accept-Encoding: gzip", "Referer: http://canary9/", "x-mock: tokens=9"]
    name = gateway.name(PLAIN)
    answer = gateway.ask(name, headers=secrets)
    assert answer.status == 200
    head, body = upstream_request(gateway)
    assert head.decode().split("\r\n") == [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: 127.0.0.1:{gateway.mock.port}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "User-Agent: concurred-gateway",
        "Authorization: Bearer sk-mock-tokens=2",
        f"Content-Length: {len(body)}", "", ""]
    assert gateway.key.encode() not in head + body


@pytest.mark.parametrize("model", [
    "gpt\r\nX-Injected: 1", "a\r\n\r\nGET /mock/reset HTTP/1.1", "a\0b", "a b", "../../mock/reset", "a\u2028b", "a?b#c", "a%0d%0ab",
    "a\tb", "x" * 97, "", ".", "a/../b", "\u0130"])
def test_a_model_that_is_no_name_never_reaches_a_provider(gateway, model):
    before = gateway.mock.ledger()["requests"]
    answer = gateway.ask(f"{PLAIN}/{model}")
    assert answer.status == 400 and answer.error()["code"] == "INVALID_MODEL"
    assert gateway.mock.ledger()["requests"] == before
    assert all("\r" not in line and "\n" not in line for line in answer.head.text.decode().split("\r\n"))


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "\0", "é", "🙂" * 100])
def test_odd_values_stay_in_the_body(gateway, value):
    name = gateway.name(PLAIN)
    assert gateway.ask(name, user=value, metadata={value: value}).status == 200
    head, body = upstream_request(gateway)
    assert json.loads(body)["user"] == value and b"injected" not in head.lower()


@pytest.mark.parametrize(("body", "param"), [
    (b'{"model":"M","model":"N","messages":[1]}', "model"),
    (b'{"model":"M","messages":[1],"stream":true,"stream":false}', "stream"),
    (b'{"model":"M","messages":[1],"Stream":true}', "stream"),
    (b'{"model":"M","messages":[1],"\\u0073tream":true,"stream":true}', "stream"),
    (b'{"Model":"M","model":"M","messages":[1]}', "model"),
    (b'{"model":"M","messages":[1],"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}',
     "stream_options.include_usage"),
    (b'\xef\xbb\xbf{"model":"M","messages":[1]}', None),
    (b'{"model":"M",/* no */"messages":[1]}', None),
    (b'{"model":"M","messages":[1],}', None),
    (b'{"model":"M","messages":[1]} {}', None),
    (b"[]", None),
    (b"", None),
])
def test_a_body_that_others_could_read_otherwise_is_refused(gateway, body, param):
    before = gateway.mock.ledger()["requests"]
    message = b'[{"role":"user","content":"hi"}]'
    name = gateway.name(PLAIN).encode()
    answer = gateway.ask(None, body=body.replace(b"[1]", message).replace(b'"M"', b'"' + name + b'"'))
    assert answer.status == 400
    assert answer.error()["param"] == param
    assert gateway.mock.ledger()["requests"] == before


def test_a_million_model_names_do_not_make_series(gateway):
    for i in range(150):
        assert gateway.ask(f"{PLAIN}/flood-{i}").status == 200
        assert gateway.ask(f"flood-{i}").status == 400
    assert not [name for name in gateway.metrics() if "flood" in name]
