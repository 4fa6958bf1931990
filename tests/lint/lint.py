#!/usr/bin/env python3
"""Checks of the source tree that need no build. Ends with a line `N passed, N failed`."""

import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["gateway", "auth", "upstream", "crypto", "storage", "tests", "bench"]
SOURCES = sorted(p for f in FOLDERS for s in ("*.hpp", "*.cpp") for p in (ROOT / f).rglob(s) if "node_modules" not in p.parts)

# Who may include whom: the table of architecture, as README.md draws it. A folder may include itself.
LAYERS = {
    "gateway/base": [],
    "gateway/http": ["gateway/base"],
    "crypto": ["gateway/base"],
    "storage": ["crypto", "gateway/base"],
    "gateway/net": ["gateway/http", "crypto", "gateway/base"],
    "auth": ["storage", "gateway/net", "gateway/http", "crypto", "gateway/base"],
    "upstream": ["gateway/net", "gateway/http", "crypto", "gateway/base"],
    "gateway/pipeline": ["auth", "upstream", "storage", "gateway/http", "crypto", "gateway/base"],
    "gateway/server": ["gateway/http", "gateway/net", "crypto", "gateway/base"],
}
LONGEST_FILE = 400
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"/(work|home|root|Users)/[a-z]")


def folder_of(path):
    parts = pathlib.PurePath(path).parts
    return "/".join(parts[:2]) if parts[0] == "gateway" and len(parts) > 2 else parts[0]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def layers():
    for path in SOURCES:
        own = folder_of(relative(path))
        if own not in LAYERS:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#include "([^"]+)"', line)
            if not found:
                continue
            target = folder_of(found[1])
            if not (ROOT / found[1]).exists():
                yield f"{relative(path)}:{number}: no such file: {found[1]} (includes are rooted at the repository)"
            elif target != own and target not in LAYERS[own]:
                yield f"{relative(path)}:{number}: {own} must not include {target}"


def header_guards():
    for path in SOURCES:
        if path.suffix == ".hpp" and not path.read_text().startswith("#pragma once\n"):
            yield f"{relative(path)}: a header begins with #pragma once"


def file_sizes():
    sizes = [(len(p.read_text().splitlines()), relative(p)) for p in SOURCES]
    print(f"   {len(sizes)} files, median {statistics.median(n for n, _ in sizes):.0f} lines")
    for lines, name in sizes:
        if lines > LONGEST_FILE:
            yield f"{name}: {lines} lines; split it by reason, at most {LONGEST_FILE}"


def unfinished():
    for path in SOURCES:
        if path.name == "lint.py":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if UNFINISHED.search(line):
                yield f"{relative(path)}:{number}: unfinished: {line.strip()}"


def machine_paths():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, listed):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".gz"} or name == "tests/lint/lint.py":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f"{name}:{number}: a path of one machine"


def formatting():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        yield "clang-format is not installed"
        return
    done = subprocess.run([tool, "--dry-run", "-Werror", "-ferror-limit=1", *map(str, SOURCES)], capture_output=True, text=True)
    for line in done.stderr.splitlines():
        if "error:" in line:
            yield line.replace(str(ROOT) + "/", "")


def shell_scripts():
    scripts = [p for p in ROOT.rglob("*.sh") if "node_modules" not in p.parts and "build" not in p.parts] + [ROOT / ".ci" / "run"]
    if shutil.which("shellcheck") is None:
        yield "shellcheck is not installed"
        return
    done = subprocess.run(["shellcheck", "-x", "-f", "gcc", *map(str, scripts)], cwd=ROOT, capture_output=True, text=True)
    yield from filter(None, done.stdout.splitlines())


def headers_alone():
    """Each header compiles alone. Those with Asio take a second each, so two run at a time."""
    flags = ["-std=c++20", "-fsyntax-only", "-I", str(ROOT), "-x", "c++", "-Wno-pragma-once-outside-header",
             "-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_BEAST_SEPARATE_COMPILATION", "-DBOOST_ASIO_NO_DEPRECATED"]
    waiting = [p for p in SOURCES if p.suffix == ".hpp" and "fuzz" not in p.parts]
    running = []

    def reap(one):
        path, process = one
        _, err = process.communicate()
        if process.returncode != 0:
            first = next((l for l in err.splitlines() if "error" in l), err[:200])
            return f"{relative(path)}: does not compile alone: {first}"
        return None

    while waiting or running:
        while waiting and len(running) < 2:
            path = waiting.pop()
            running.append((path, subprocess.Popen(["g++", *flags, str(path)], stderr=subprocess.PIPE, text=True)))
        problem = reap(running.pop(0))
        if problem:
            yield problem


def main():
    passed = failed = 0
    checks = [layers, header_guards, file_sizes, unfinished, machine_paths, formatting, shell_scripts]
    if "--headers" in sys.argv:
        checks.append(headers_alone)
    for check in checks:
        problems = list(check())
        print(f"{'ok    ' if not problems else 'failed'} {check.__name__}")
        for problem in problems[:20]:
            print(f"   {problem}")
        passed += not problems
        failed += bool(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
