"""The gateway and those it is compared with: how each is started on a free port in front of the mock provider."""

import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"
GATEWAY_CORE, OTHER_CORE = 0, min(1, os.cpu_count() - 1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, patience=240):
    """Waits until something listens. Returns whether it does."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


class Unavailable(Exception):
    """A side that cannot be measured here, and why."""


class Side:
    """A running gateway. `target` is what the load generator is told of it."""

    name = ""
    stop_signal = signal.SIGTERM

    def __init__(self, folder, binary, mock_port):
        self.folder, self.binary, self.mock_port = pathlib.Path(folder) / self.name, str(binary), mock_port
        self.folder.mkdir()
        self.port = free_port()
        self.process = None
        self.target = []

    def start(self, command, environment=None, core=GATEWAY_CORE):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})})
        if not wait_for(self.port, self.process):
            raise Unavailable(f"does not start: {last_line(self.folder / 'log')}")

    def aim(self, path, prefix="", key="sk-bench", headers=()):
        self.target = ["--target", f"http://127.0.0.1:{self.port}{path}", "--model-prefix", prefix, "--key", key]
        if self.process:
            self.target += ["--pid", str(self.process.pid)]
        for header in headers:
            self.target += ["--header", header]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def last_line(path):
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()] if path.exists() else []
    return lines[-1].strip()[:200] if lines else "no output"


def installed(path, name):
    if not (PEERS / path).exists():
        raise Unavailable(f"cannot be installed: {last_line(PEERS / (name + '.log'))}")
    return PEERS / path


class Direct(Side):
    """The mock provider itself."""

    name = "direct"

    def up(self):
        self.port = self.mock_port
        self.aim("/v1")


class Concurred(Side):
    """Everything on (key check, limits, usage with spool, metrics) but the access log, as for all."""

    name = "concurred"
    stop_signal = signal.SIGINT

    def up(self):
        (self.folder / "concurred.toml").write_text("log.access = false\n"
                                                    f'providers.openai.base_url = "http://127.0.0.1:{self.mock_port}/v1"\n'
                                                    'providers.openai.api_key = "sk-bench"\n')
        made = subprocess.run([self.binary, "keys", "create", "--name", "bench", "--rate-limit", "1000000", "--json"], cwd=self.folder,
                              check=True, capture_output=True, text=True)
        self.start([self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", "127.0.0.1:0", "--shards", "1"])
        self.aim("/api/v1", "openai/", json.loads(made.stdout)["key"])


class Nginx(Side):
    """Passes on over kept connections, unbuffered; checks and counts nothing."""

    name = "nginx"

    def up(self):
        (self.folder / "nginx.conf").write_text(f"""
            worker_processes 1; daemon off; pid nginx.pid; error_log nginx.err;
            events {{ worker_connections 8192; }}
            http {{ access_log off; client_body_buffer_size 64k; proxy_temp_path t1; client_body_temp_path t2;
              fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; keepalive_requests 1000000000;
              upstream mock {{ server 127.0.0.1:{self.mock_port}; keepalive 1024; keepalive_requests 1000000000; }}
              server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ proxy_pass http://mock; proxy_http_version 1.1;
                proxy_set_header Connection ""; proxy_buffering off; }} }} }}""")
        self.start(["nginx", "-p", self.folder, "-c", "nginx.conf"])
        self.aim("/v1")


class Haproxy(Side):
    """Passes on with `http-no-delay`, connections shared; checks and counts nothing."""

    name = "haproxy"

    def up(self):
        (self.folder / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    maxconn 8000
defaults
    mode http
    option http-no-delay
    http-reuse always
    timeout connect 5s
    timeout client 10m
    timeout server 10m
frontend all
    bind 127.0.0.1:{self.port} backlog 4096
    default_backend mock
backend mock
    server mock 127.0.0.1:{self.mock_port} pool-max-conn 1024
""")
        self.start(["haproxy", "-db", "-f", "haproxy.cfg"])
        self.aim("/v1")


class Portkey(Side):
    """Open-source gateway for Node: routes by header; no keys, limits or usage."""

    name = "portkey"

    def up(self):
        server = installed("portkey/node_modules/@portkey-ai/gateway/build/start-server.js", self.name)
        self.start(["node", server, f"--port={self.port}", "--headless"], {"NODE_ENV": "production"})
        self.aim("/v1", headers=["x-portkey-provider: openai", f"x-portkey-custom-host: http://127.0.0.1:{self.mock_port}/v1"])


class Litellm(Side):
    """LiteLLM's proxy, one worker, without a database: its master key is checked; no limits, no stored usage."""

    name = "litellm"

    def up(self):
        program = installed("litellm/bin/litellm", self.name)
        key = "sk-" + secrets.token_hex(24)  # it does not start with a weak one
        (self.folder / "config.yaml").write_text(
            'model_list:\n  - model_name: "*"\n    litellm_params:\n      model: "openai/*"\n'
            f'      api_base: "http://127.0.0.1:{self.mock_port}/v1"\n      api_key: "sk-bench"\n'
            f'general_settings:\n  master_key: "{key}"\nlitellm_settings:\n  telemetry: false\n')
        self.start([program, "--config", "config.yaml", "--host", "127.0.0.1", "--port", self.port, "--num_workers", "1"],
                   {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
        self.aim("/v1", key=key)


class Bifrost(Side):
    """Bifrost's HTTP transport."""

    name = "bifrost"

    def up(self):
        program = installed("bifrost/bifrost-http", self.name)
        (self.folder / "config.json").write_text(json.dumps({"providers": {"openai": {
            "keys": [{"name": "bench", "value": "sk-bench", "models": ["*"], "weight": 1.0}],
            "network_config": {"base_url": f"http://127.0.0.1:{self.mock_port}"}}}}))
        self.start([program, "-host", "127.0.0.1", "-port", self.port, "-app-dir", self.folder, "-log-level", "error"])
        self.aim("/v1", "openai/")


SIDES = [Direct, Concurred, Nginx, Haproxy, Portkey, Litellm, Bifrost]
