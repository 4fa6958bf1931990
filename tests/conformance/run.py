"""Starts mock and gateway, runs the suite of each SDK against them, says how many tests passed. Use run.sh."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration")]

from mock_provider import MockProvider  # noqa: E402
from upstream_rig import Gateway, QUICK, Scenarios  # noqa: E402

import matrix_table  # noqa: E402
import scenarios  # noqa: E402

SUITE_PATIENCE = 600  # seconds; a watchdog
FILE_PATIENCE_MS = 300_000  # the same for one file: Node 20 takes a file for a test, too


def all_scenarios(mock):
    made = Scenarios()
    root = mock.base_url.removesuffix("/v1")
    for name, (path, settings) in scenarios.PROVIDERS.items():
        made.providers[name] = {"base_url": root + path, "api_key": "sk-mock-" + settings}
        for scenario, more in scenarios.MATRIX.items():
            made.model(f"{scenario}@{name}", provider=name,
                       upstream_model=f"{scenarios.MATRIX_MODELS[name]}/mock-{more}")
    for name, settings in scenarios.MODELS.items():
        made.providers[name] = {"mock": settings}
        made.model(name, provider=name)
    return made


def environment(gateway, mock):
    """What the suites need to know."""
    return {
        **os.environ,
        "CONCURRED_BASE_URL": f"http://127.0.0.1:{gateway.port}/api/v1",
        "CONCURRED_API_KEY": gateway.key,
        "CONCURRED_API_KEY_1_PER_MINUTE": gateway.new_key(1),
        "CONCURRED_API_KEY_60_PER_MINUTE": gateway.new_key(60),
        "CONCURRED_MOCK_URL": mock.base_url.removesuffix("/v1"),
    }


def versions():
    lock = json.loads((HERE / "node" / "package-lock.json").read_text())["packages"]
    node = {name.removeprefix("node_modules/"): package["version"] for name, package in lock.items() if name}
    python = dict(re.findall(r"^(.*)==(.*)$", (HERE / "python" / "requirements.txt").read_text(), re.MULTILINE))
    return node, python


def count(text, *words):
    """The numbers beside these words in a suite's own summary."""
    found = [re.search(word, text, re.MULTILINE) for word in words]
    return sum(int(match.group(1)) for match in found if match)


def run(command, folder, env):
    """Runs a suite. Returns its exit code and its output, which is shown too."""
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    return process.wait(), "".join(lines)


def node_suite(files, env):
    names = sorted(path.name for path in (HERE / "node").glob(files))
    assert names, f"no tests in {files}"  # without a name it would run all it finds
    code, text = run(["timeout", str(SUITE_PATIENCE), "node", "--test", "--test-concurrency=1",
                      f"--test-timeout={FILE_PATIENCE_MS}", "--test-reporter=spec", *names], HERE / "node", env)
    passed, failed, skipped = r"^ℹ pass (\d+)", (r"^ℹ fail (\d+)", r"^ℹ cancelled (\d+)"), r"^ℹ skipped (\d+)"
    return code, count(text, passed), count(text, *failed), count(text, skipped)


def python_suite(env):
    code, text = run(["timeout", str(SUITE_PATIENCE), sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider",
                      "-q", "--color=no"], HERE / "python", env)
    return code, count(text, r"(\d+) passed"), count(text, r"(\d+) failed", r"(\d+) errors?"), count(text, r"(\d+) skipped")


def supabase_suite():
    code, text = run(["timeout", str(SUITE_PATIENCE), sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider",
                      "-q", "--color=no"], HERE / "supabase", dict(os.environ))
    return code, count(text, r"(\d+) passed"), count(text, r"(\d+) failed", r"(\d+) errors?"), count(text, r"(\d+) skipped")


def all_suites():
    node, python = versions()
    matrix = ", ".join(f"{name} {node[name]}" for name in (
        "@anthropic-ai/sdk", "@ai-sdk/anthropic", "@ai-sdk/openai-compatible", "@langchain/openai"))
    return [
        (f"openai {node['openai']} for Node", lambda env: node_suite("openai_*.test.mjs", env)),
        (f"ai {node['ai']} with @ai-sdk/openai {node['@ai-sdk/openai']}",
         lambda env: node_suite("ai_sdk.test.mjs", env)),
        (f"ai {node['ai-documented']} with @ai-sdk/openai {node['ai-sdk-openai-documented']}",
         lambda env: node_suite("ai_sdk_documented.test.mjs", env)),
        (f"openai {python['openai']}, anthropic {python['anthropic']} for Python", python_suite),
        (f"matrix for Node: openai, ai, {matrix}", lambda env: node_suite("matrix_*.test.mjs", env)),
        (f"@google/genai {node['@google/genai']}", lambda env: node_suite("genai.test.mjs", env)),
        ("acceptance, by openai and ai", lambda env: node_suite("acceptance.test.mjs", env)),
        ("the mock provider, by openai and @anthropic-ai/sdk", lambda env: node_suite("mock_*.test.mjs", env)),
    ]


def table_outcome(recorded, complete):
    """Compares the table in README.md with what the suites did, or writes it. Returns what to print, passed, failed."""
    readme = HERE / "README.md"
    text = readme.read_text()
    made = matrix_table.table(recorded.read_text().splitlines())
    if "--write-table" in sys.argv:
        readme.write_text(matrix_table.replaced(text, made))
    elif complete and matrix_table.written(text) != made:
        print("\nThe table in tests/conformance/README.md is not what the suites did: see run.sh --write-table.\n" + made)
        return [("the table in README.md", 0, 1, 0)]
    return [("the table in README.md", 1, 0, 0)] if complete else []


def main():
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    suites = [(name, suite) for name, suite in all_suites() if not wanted or any(word in name for word in wanted)]
    if not suites:
        print("no suite has one of these words in its name: " + " ".join(wanted), file=sys.stderr)
        return 64
    outcomes = []
    with tempfile.TemporaryDirectory() as folder, MockProvider("--keep-bodies") as mock:
        # Leaving the gateway's block checks that it ends with code 0 and has one usage record of every request.
        with Gateway(folder, all_scenarios(mock), mock, QUICK) as gateway:
            recorded = Path(folder) / "matrix"
            recorded.touch()
            env = {**environment(gateway, mock), "CONCURRED_MATRIX": str(recorded)}
            for name, suite in suites:
                print(f"\n--- {name}", flush=True)
                code, passed, failed, skipped = suite(env)
                if not failed and (code != 0 or not passed):
                    failed = 1  # it ended badly, without a word
                outcomes.append((name, passed, failed, skipped))
        outcomes += table_outcome(recorded, complete=not wanted)
    print("\n--- cookies of @supabase/ssr", flush=True)
    code, passed, failed, skipped = supabase_suite()
    outcomes.append(("cookies of @supabase/ssr", passed, failed or int(code != 0 or not passed), skipped))
    outcomes.append(("all SDKs", *(sum(numbers) for numbers in list(zip(*outcomes))[1:])))
    print()
    for name, passed, failed, skipped in outcomes:
        print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if outcomes[-1][2] else 0


if __name__ == "__main__":
    sys.exit(main())
