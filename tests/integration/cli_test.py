"""The command line as a whole: help, mistakes, version, configuration, health."""

import http.server
import json
import socket
import subprocess
import threading

import pytest

from cli_program import needs_binary, program  # noqa: F401 (a fixture)

pytestmark = needs_binary

COMMANDS = ["serve", "keys", "provider-keys", "secrets", "login-link", "usage", "check-config", "print-config", "healthcheck", "mock", "bench", "version", "completion"]


# ---- help and mistakes

def test_help_is_short_and_names_every_command(program):
    out = program.ok("--help").out
    assert out.count("\n") < 40
    for command in COMMANDS:
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", [[c] for c in COMMANDS] + [["keys", c] for c in ("create", "list", "update", "revoke")])
def test_every_command_has_help(program, command):
    out = program.ok(*command, "--help").out
    assert "Usage: concurred " + " ".join(command) in out
    assert max(len(line) for line in out.splitlines()) <= 125


@pytest.mark.parametrize("arguments, shown", [([], "Usage: concurred [OPTIONS] COMMAND"), (["keys"], "Usage: concurred keys")])
def test_without_a_command_there_is_help_and_exit_code_64(program, arguments, shown):
    outcome = program.run(*arguments)
    assert outcome.code == 64 and shown in outcome.out


@pytest.mark.parametrize("arguments, said", [
    (["kyes"], "unknown command 'kyes', did you mean 'keys'?"),
    (["keys", "lst"], "unknown command 'lst', did you mean 'list'?"),
    (["help"], "did you mean '--help'?"),
    (["keys", "create", "--nmae", "x"], "unknown option '--nmae', did you mean '--name'?"),
    (["keys", "create"], "--name is required"),
    (["keys", "create", "--name"], "--name needs a value"),
    (["keys", "create", "--name", "x", "y"], "unexpected argument 'y'"),
    (["keys", "create", "--name", "x", "--name", "y"], "--name can be given only once"),
    (["keys", "update"], "ID is required"),
    (["keys", "update", "x", "--enable", "--disable"], "--enable cannot be given together with --disable"),
    (["keys", "update", "x", "--expires", "1d", "--no-expiry"], "cannot be given together with"),
    (["-c", "x", "keys", "list"], "option '-c' must come after 'concurred keys list'"),
    (["usage", "--by", "week"], "--by: needs model, key or provider, not 'week'"),
    (["serve", "--set", "log.level"], "--set: needs KEY=VALUE"),
    (["serve", "--config", ""], "--config: needs a name"),
    (["check-config", "a", "--config", "b"], "FILE cannot be given together with --config"),
    (["completion", "zsh"], "needs bash, not 'zsh'"),
])
def test_a_wrong_command_line_is_one_line_and_a_hint(program, arguments, said):
    outcome = program.run(*arguments)
    what, hint = outcome.err.splitlines()
    assert outcome.code == 64 and outcome.out == ""
    assert what.startswith("concurred: ") and said in what
    assert hint.startswith("Run 'concurred") and hint.endswith("--help' for help.")


def test_what_follows_the_equals_sign_of_an_unknown_option_is_not_repeated(program):
    assert "hunter2" not in program.run("serve", "--api-key=hunter2").err


def test_stdout_that_cannot_be_written_is_a_failure(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run(**program.command(["version"]), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "stdout cannot be written" in done.stderr


# ---- version and completion

def test_version_in_three_forms(program):
    short = program.ok("--version").out
    assert short.startswith("concurred ") and short.count("\n") == 1
    assert program.ok("version").out.startswith(short)
    facts = program.ok("version", "--json").json()
    assert list(facts) == ["version", "compiler", "boost", "openssl", "sqlite"]
    assert short == f"concurred {facts['version']}\n"


@pytest.mark.parametrize("typed, offered", [
    ("concurred ke", "keys"),
    ("concurred keys re", "revoke"),
    ("concurred keys create --rate", "--rate-limit"),
    ("concurred usage --da", "--daily"),
])
def test_bash_completes_commands_and_options(program, typed, offered):
    words = typed.split(" ")
    script = program.ok("completion", "bash").out
    script += f"\nCOMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _concurred; echo \"${{COMPREPLY[@]}}\"\n"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=10)
    assert done.stdout.split() == [offered], done.stderr


# ---- configuration

def test_a_sound_configuration_is_ok(program):
    program.write("concurred.toml", "[log]\nlevel = \"debug\"\n")
    assert program.ok("check-config").out == "OK: concurred.toml\n"
    assert program.ok("check-config", "concurred.toml").out == "OK: concurred.toml\n"
    assert program.ok("check-config", "--json").json() == {"ok": True, "file": "concurred.toml", "warnings": [], "problems": []}


def test_without_a_file_the_defaults_are_ok(program):
    assert program.ok("check-config").out.startswith("OK: no file")


def test_warnings_do_not_fail(program):
    outcome = program.run("check-config", "--set", "server.listen=:8080")
    assert outcome.code == 0 and outcome.out.startswith("OK") and outcome.err.startswith("warning: server.listen")
    assert len(program.ok("check-config", "--json", "--set", "server.listen=:8080").json()["warnings"]) == 1


FAULTY = """[server]
lisen = "127.0.0.1:8080"
[log]
level = "loud"
[limits]
body_bytes = "1 parsec"
"""


def test_all_problems_are_told_at_once_each_with_its_place(program):
    program.write("faulty.toml", FAULTY)
    outcome = program.run("check-config", "faulty.toml", env={"CONCURRED__LOG__FORMAT": "xml"})
    assert outcome.code == 78 and outcome.out == ""
    first, second, third, fourth = outcome.err.splitlines()
    assert first.startswith("faulty.toml:2:") and "did you mean 'listen'?" in first
    assert second.startswith("faulty.toml:4:") and "log.level" in second
    assert third.startswith("faulty.toml:6:") and "limits.body_bytes" in third
    assert fourth.startswith("environment CONCURRED__LOG__FORMAT: log.format")


def test_problems_as_json(program):
    program.write("faulty.toml", FAULTY)
    outcome = program.run("check-config", "--json", "-c", "faulty.toml")
    report = outcome.json()
    assert outcome.code == 78 and report["ok"] is False and len(report["problems"]) == 3
    assert all(set(problem) == {"where", "key", "message"} for problem in report["problems"])
    assert report["problems"][1]["key"] == "log.level"


@pytest.mark.parametrize("setting, said", [
    ("log.levl=debug", "flag --set: log.levl: unknown key, did you mean 'level'?"),
    ("models.fast.target=nonsuch", "flag --set: models.fast.target: is no known model"),
    ("secrets.master_key=" + "A" * 43 + "=", "flag --set: secrets.master_key: the master key is all zero"),
    ("providers.openai.base_url=http://a b", "providers.openai.base_url"),
    ("server.tls_certificate=nonsuch.pem", "server.tls_certificate"),
])
def test_what_a_flag_sets_is_checked_too(program, setting, said):
    outcome = program.run("check-config", "--set", setting)
    assert outcome.code == 78 and said in outcome.err


def test_a_certificate_that_is_none_is_found_before_the_start(program):
    program.write("some.pem", "not a certificate\n")
    flags = ("--set", "server.tls_certificate=some.pem", "--set", "server.tls_key=some.pem")
    outcome = program.run("check-config", *flags)
    assert outcome.code == 78 and "some.pem" in outcome.err


@pytest.mark.parametrize("command", [["serve"], ["keys", "list"], ["usage"], ["print-config"], ["healthcheck"],
                                     ["keys", "create", "--name", "x"]])
def test_every_command_refuses_a_faulty_configuration(program, command):
    program.write("faulty.toml", FAULTY)
    outcome = program.run(*command, "--config", "faulty.toml")
    assert outcome.code == 78 and outcome.out == "" and len(outcome.err.splitlines()) == 3
    assert not program.database.exists()


def test_a_file_that_is_missing_is_a_problem_only_when_it_was_named(program):
    assert program.run("check-config", "nonsuch.toml").code == 78
    assert program.run("check-config", env={"CONCURRED_CONFIG": "nonsuch.toml"}).code == 78


def test_the_file_is_that_of_the_flag_then_of_the_variable_then_of_the_folder(program):
    for name in ("flag", "variable", "concurred"):
        program.write(name + ".toml", "")
    variable = {"CONCURRED_CONFIG": "variable.toml"}
    assert program.ok("check-config", "--config", "flag.toml", env=variable).out == "OK: flag.toml\n"
    assert program.ok("check-config", env=variable).out == "OK: variable.toml\n"
    assert program.ok("check-config", env={"CONCURRED_CONFIG": ""}).out == "OK: concurred.toml\n"


def test_flags_win_over_the_environment_over_the_file_over_defaults(program):
    program.write("concurred.toml", "[limits]\ndefault_rate_limit = 11\nheader_fields = 12\nkeys_per_owner = 13\n")
    variables = {"CONCURRED__LIMITS__DEFAULT_RATE_LIMIT": "21", "CONCURRED__LIMITS__HEADER_FIELDS": "22"}
    flags = ("--set", "limits.default_rate_limit=30", "--set", "limits.default_rate_limit=31")
    limits = program.ok("print-config", "--json", *flags, env=variables).json()["limits"]
    assert limits["default_rate_limit"] == {"value": 31, "origin": "flag"}
    assert limits["header_fields"] == {"value": 22, "origin": "environment CONCURRED__LIMITS__HEADER_FIELDS"}
    assert limits["keys_per_owner"] == {"value": 13, "origin": "concurred.toml:4"}
    assert limits["max_rate_limit"] == {"value": 1000000, "origin": "default"}


def test_secrets_are_masked(program):
    key = "sk-verysecretverysecret9876"
    for arguments in (["print-config"], ["print-config", "--json"]):
        out = program.ok(*arguments, env={"OPENAI_API_KEY": key}).out
        assert key not in out and "***9876" in out


def test_what_print_config_prints_is_a_configuration(program):
    program.write("copy.toml", program.ok("print-config", "--set", "log.level=warn").out)
    assert program.ok("print-config", "--json", "-c", "copy.toml").json()["log"]["level"]["value"] == "warn"


# ---- health

class Answering(http.server.BaseHTTPRequestHandler):
    answers = {"/readyz": (200, b"ok\nmore\n"), "/draining": (503, b"draining \x1b[31m\n"), "/": (204, b"")}

    def do_GET(self):
        status, body = self.answers[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_ready_server_is_exit_code_0(program, address):
    assert program.ok("healthcheck", "--url", f"http://{address}/readyz").out == "ready: 200 ok\n"
    assert program.ok("healthcheck", "--url", f"http://{address}").out == "ready: 204\n"


def test_the_admin_listener_of_the_configuration_is_asked(program, address):
    port = address.split(":")[1]
    for listen in (address, ":" + port, "0.0.0.0:" + port):
        assert program.ok("healthcheck", "--set", "server.admin_listen=" + listen).out == "ready: 200 ok\n"


def test_a_server_that_is_not_ready_is_exit_code_1_with_the_reason(program, address):
    outcome = program.run("healthcheck", "--url", f"http://{address}/draining")
    assert outcome.code == 1 and outcome.out == ""
    assert "503 draining" in outcome.err and "\x1b" not in outcome.err


def test_a_server_that_is_not_there_is_exit_code_1(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        outcome = program.run("healthcheck", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}/readyz")
    assert outcome.code == 1 and "Connection refused" in outcome.err


def test_a_server_that_says_nothing_is_given_up(program):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = program.run("healthcheck", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}/readyz")
    assert outcome.code == 1 and "no answer in time" in outcome.err


def test_a_server_that_does_not_speak_http_is_not_ready(program):
    with socket.create_server(("127.0.0.1", 0)) as other:
        def answer():
            connection, _ = other.accept()
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)
        thread = threading.Thread(target=answer)
        thread.start()
        outcome = program.run("healthcheck", "--url", f"http://127.0.0.1:{other.getsockname()[1]}/readyz")
        thread.join()
    assert outcome.code == 1 and "does not speak HTTP" in outcome.err


@pytest.mark.parametrize("arguments", [["--url", "nonsense"], ["--url", "https://127.0.0.1:9090/readyz"],
                                       ["--set", "server.admin_listen=127.0.0.1:0"]])
def test_an_address_that_cannot_be_asked_is_wrong_usage(program, arguments):
    assert program.run("healthcheck", *arguments).code == 64


def test_print_config_as_json_is_one_document(program):
    assert json.loads(program.ok("print-config", "--json").out)["server"]["listen"]["value"] == "127.0.0.1:8080"
