"""Runs commands of the program in a folder of their own: shared by the tests of the command line."""

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

PATIENCE = 30.0  # seconds; a watchdog, not a wait


def binary():
    """Path of the program under test, or None."""
    path = os.environ.get("CONCURRED_BIN")
    return os.path.abspath(path) if path else None


needs_binary = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")


class Outcome:
    """What a command left behind."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        """Lines of stdout as lists of words."""
        return [line.split() for line in self.out.splitlines()]


class Program:
    """Commands in one folder, without a configuration but what the test gives."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = {"PATH": os.environ.get("PATH", "")}
        if "ASAN_OPTIONS" in os.environ:
            self.environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]

    @property
    def database(self):
        return self.folder / "var" / "concurred.db"

    def command(self, arguments, env=None):
        """Arguments of subprocess: the command, where and with what it runs."""
        return {"args": [binary(), *arguments], "cwd": self.folder, "env": {**self.environment, **(env or {})}}

    def run(self, *arguments, env=None, stdin=""):
        done = subprocess.run(**self.command(arguments, env), input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments, env=None):
        """Runs a command that must succeed, and without a word on stderr."""
        outcome = self.run(*arguments, env=env)
        assert (outcome.code, outcome.err) == (0, ""), outcome.err
        return outcome

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def new_key(self, *arguments):
        """Makes a key. Returns what `keys create --json` printed."""
        return self.ok("keys", "create", "--json", *(arguments or ("--name", "test"))).json()

    def listed(self, *arguments):
        return self.ok("keys", "list", "--json", *arguments).json()

    def connect(self):
        """A connection of another program to the database."""
        return sqlite3.connect(self.database, isolation_level=None)


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)
