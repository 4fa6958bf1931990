"""The part of the table of faults where a provider is not reached at all: dialect x fault x stream or not x fallback given
or none. All of a provider's models are blamed together, so each fault has a gateway of its own."""

import itertools
import socket
import threading

import pytest

from fault_provider import TEXT, FaultProvider
from upstream_rig import Gateway, Scenarios, breaking_after, eventually, free_port, needs_binary

pytestmark = needs_binary

PATHS = {"plain": "/v1", "anthropic": "", "google": "/v1beta", "x-ai": "/v1", "openrouter": "/v1", "minimax": "/v1"}
CELLS = list(itertools.product((False, True), (False, True)))  # stream, fallback given


class NoTls:
    """A server that answers a TLS handshake with something else."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture(scope="module", params=["refused", "tls", "dns"])
def unreachable(request, tmp_path_factory):
    with FaultProvider() as spare, NoTls() as no_tls:
        address = {"refused": f"http://127.0.0.1:{free_port()}", "tls": no_tls, "dns": "http://no-such-host.invalid"}
        scenarios = Scenarios()
        for name, path in PATHS.items():
            scenarios.providers[name] = {"base_url": address[request.param] + path, "api_key": "sk-x",
                                         "connect_timeout": "3s"}
        scenarios.providers["spare"] = {"base_url": spare.address + "/v1", "api_key": "sk-spare"}
        with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, None, breaking_after(len(CELLS))) as gateway:
            gateway.fault = request.param
            yield gateway


@pytest.mark.parametrize("provider", PATHS)
def test_the_cells_of_a_provider_and_what_its_breaker_learns(unreachable, provider):
    gateway = unreachable
    dns = gateway.fault == "dns"
    reasons = ("connect", "connect_timeout") if dns else ("connect",)
    models = []
    for stream, with_spare in CELLS:
        model, spare = gateway.name(provider), gateway.name("spare").replace("/m", "/good.")
        models.append(model)
        got = gateway.ask(model, stream=stream, **({"fallback": [spare]} if with_spare else {}))
        line = gateway.access_line(model)
        assert got.ended == "whole" and line["retries"] == 0
        if with_spare:
            assert got.status == 200 and TEXT.encode() in got.body
            assert got.head["x-concurred-fallback"] in [f"{model};{reason}" for reason in reasons]
            assert (line["end_reason"], line["fallback_from"], line["model_served"]) == ("completed", model, spare)
            assert (line["input_tokens"], line["output_tokens"]) == (5, 2)
        else:
            assert got.status in ((502, 504) if dns else (502,)), got.body
            assert got.head["content-type"] == "application/json" and got.error()["message"]
            assert ("TLS" in got.error()["message"]) == (gateway.fault == "tls")
            assert (line["status"], line["end_reason"]) in [(502, "upstream_error"), (504, "timeout")]
            assert "fallback_from" not in line and "input_tokens" not in line
    # The provider as a whole is closed off now, for any of its models; none of them is to blame by itself.
    got = gateway.ask(gateway.name(provider))
    assert got.status == 503 and got.error()["code"] == "MODEL_UNAVAILABLE" and int(got.head["retry-after"]) > 500
    metrics = gateway.metrics()
    assert metrics[f'concurred_upstream_breakers{{provider="{provider}",model="*",state="open"}}'] == 1
    assert not [series for series in metrics for model in models if f'model="{model}",state' in series]
    spare, model = gateway.name("spare").replace("/m", "/good."), gateway.name(provider)
    got = gateway.ask(model, fallback=[spare])
    assert got.status == 200 and got.head["x-concurred-fallback"] == f"{model};open"
    eventually(lambda: gateway.usage_row(spare)["requests"] == 1, "the record")
