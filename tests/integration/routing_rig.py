"""A gateway in front of providers that fail as their models' names say: shared by the tests of routing."""

import itertools

import pytest

from fault_provider import FaultProvider
from upstream_rig import Gateway, Scenarios

BASE = """
[server]
shards = 1
[storage]
flush_interval = "10ms"
[limits]
drain_grace = "0ms"
keepalive_comment = "{silence}"
[routing]
backoff = "20ms"
{routing}
"""


class Rig:
    """Three providers, `a`, `b` and `c`, all alike. Names of models are new each time."""

    numbers = itertools.count(1)

    def __init__(self, gateway, providers):
        self.gateway = gateway
        self.providers = providers

    def model(self, fault="good", provider="a"):
        return f"{provider}/{fault}.{next(self.numbers)}"

    def asked(self, model):
        provider, upstream = model.split("/", 1)
        return self.providers[provider].asked.get(upstream, 0)

    def keys(self, model):
        provider, upstream = model.split("/", 1)
        return self.providers[provider].keys.get(upstream, [])

    def ask(self, model, **how):
        return self.gateway.ask(model, **how)

    def line(self, model):
        return self.gateway.access_line(model)

    def metric(self, name, **labels):
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value in self.gateway.metrics().items()
                   if series.split("{")[0] == name and all(w in series for w in wanted))


def routing_rig(routing="", silence="15s", **settings):
    """A fixture. settings: of all three providers."""

    @pytest.fixture(scope="module")
    def fixture(tmp_path_factory):
        with FaultProvider() as a, FaultProvider() as b, FaultProvider() as c:
            providers = {"a": a, "b": b, "c": c}
            scenarios = Scenarios()
            for name, provider in providers.items():
                scenarios.providers[name] = {"base_url": provider.address + "/v1",
                                             **({} if "api_keys" in settings else {"api_key": f"sk-{name}"}),
                                             "first_token_timeout": "5s", "idle_timeout": "5s", **settings}
            text = BASE.format(routing=routing, silence=silence)
            with Gateway(tmp_path_factory.mktemp("gateway"), scenarios, None, text) as gateway:
                yield Rig(gateway, providers)

    return fixture
