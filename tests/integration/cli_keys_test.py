"""Keys are made, listed, changed and revoked; the key itself is shown once and stored nowhere."""

import datetime
import os
import pty
import re
import select
import stat
import subprocess
import time

import pytest

from cli_program import PATIENCE, needs_binary, program  # noqa: F401 (a fixture)

pytestmark = needs_binary

KEY = re.compile(r"ck_[1-9A-HJ-NP-Za-km-z]{31,33}")


def stored_bytes(program):
    return b"".join(path.read_bytes() for path in program.database.parent.glob("concurred.db*"))


# ---- create

def test_a_new_key_as_json(program):
    made = program.new_key("--name", "CI \"quoted\"", "--rate-limit", "120")
    assert list(made) == ["keyId", "key", "name", "rateLimit"]
    assert re.fullmatch(r"key_[0-9A-Za-z]{20}", made["keyId"]) and KEY.fullmatch(made["key"])
    assert (made["name"], made["rateLimit"]) == ("CI \"quoted\"", 120)


def test_a_new_key_as_text_says_that_it_is_shown_only_now(program):
    out = program.ok("keys", "create", "--name", "laptop").out
    assert len(KEY.findall(out)) == 1 and "only time the key is shown" in out
    assert ["Rate", "limit", "60", "requests", "per", "minute"] in [line.split() for line in out.splitlines()]


def test_the_key_is_not_in_the_database_and_not_in_any_later_output(program):
    key = program.new_key()["key"]
    assert key.encode() not in stored_bytes(program)
    assert key not in program.ok("keys", "list").out + program.ok("keys", "list", "--json", "--all").out


def test_file_and_folder_are_made_for_the_owner_alone(program):
    program.new_key()
    assert stat.S_IMODE(program.database.stat().st_mode) == 0o600
    assert stat.S_IMODE(program.database.parent.stat().st_mode) == 0o700


def test_defaults_come_from_the_configuration(program):
    assert program.new_key("--name", "a", "--set", "limits.default_rate_limit=7")["rateLimit"] == 7
    assert program.listed()[0]["owner"] == "local"


def test_keys_are_no_two_alike(program):
    keys = {program.new_key()["key"] for _ in range(5)}
    assert len(keys) == 5


@pytest.mark.parametrize("arguments, said", [
    (["--name", ""], "1 to 255 bytes"),
    (["--name", "x" * 256], "1 to 255 bytes"),
    (["--name", "a\nb"], "control characters"),
    (["--name", b"a\xff"], "UTF-8"),
    (["--name", "x", "--rate-limit", "0"], "from 1 to 1000000"),
    (["--name", "x", "--rate-limit", "1000001"], "from 1 to 1000000"),
    (["--name", "x", "--rate-limit", "-5"], "from 1 to 1000000"),
    (["--name", "x", "--rate-limit", "1e3"], "from 1 to 1000000"),
    (["--name", "x", "--rate-limit", "101", "--set", "limits.max_rate_limit=100"], "from 1 to 100"),
    (["--name", "x", "--owner", ""], "1 to 128 visible"),
    (["--name", "x", "--owner", "y" * 129], "1 to 128 visible"),
    (["--name", "x", "--owner", "a b"], "1 to 128 visible"),
    (["--name", "x", "--expires", "soon"], "like 30d, 12h or 90m, or a date like 2027-01-01"),
    (["--name", "x", "--expires", "2027-02-30"], "a date like"),
    (["--name", "x", "--expires", "0d"], "in the future"),
    (["--name", "x", "--expires", "2020-01-01"], "in the future"),
    (["--name", "x", "--expires", "40000d"], "at most 100 years"),
])
def test_values_out_of_range_are_wrong_usage_and_make_nothing(program, arguments, said):
    outcome = program.run("keys", "create", *arguments)
    assert outcome.code == 64 and outcome.out == "" and said in outcome.err
    assert not program.database.exists()


@pytest.mark.parametrize("arguments", [["--name", "x" * 255], ["--name", "Grün ✓"], ["--name", "x", "--rate-limit", "1"],
                                       ["--name", "x", "--rate-limit", "1000000"], ["--name", "x", "--owner", "y" * 128]])
def test_the_ends_of_the_ranges_are_allowed(program, arguments):
    assert program.new_key(*arguments)["name"] == arguments[1]


def test_an_expiry_is_shown_and_kept(program):
    before = datetime.datetime.now(datetime.timezone.utc)
    made = program.new_key("--name", "a", "--expires", "30d")
    at = datetime.datetime.fromisoformat(made["expiresAt"].replace("Z", "+00:00"))
    assert datetime.timedelta(days=30) <= at - before.replace(microsecond=0) <= datetime.timedelta(days=30, minutes=1)
    assert program.listed()[0]["expiresAt"] == made["expiresAt"]
    day = (before + datetime.timedelta(days=400)).date().isoformat()
    assert program.new_key("--name", "b", "--expires", day)["expiresAt"] == day + "T00:00:00.000Z"


def test_an_owner_has_at_most_so_many_keys(program):
    most = ("--set", "limits.keys_per_owner=2")
    first = program.new_key("--name", "1", *most)
    program.new_key("--name", "2", *most)
    outcome = program.run("keys", "create", "--name", "3", *most)
    assert outcome.code == 1 and outcome.out == "" and "limits.keys_per_owner" in outcome.err
    program.new_key("--name", "other's", "--owner", "other", *most)
    program.ok("keys", "revoke", first["keyId"], "--yes")
    program.new_key("--name", "3", *most)


def test_a_key_that_nobody_could_read_is_revoked(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run(**program.command(["keys", "create", "--name", "lost"]), stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "revoked" in done.stderr
    (row,) = program.listed("--all")
    assert row["revokedAt"] is not None


# ---- list

def test_without_a_database_commands_that_read_say_so_and_make_none(program):
    for arguments in (["keys", "list"], ["keys", "list", "--json"], ["usage"], ["keys", "update", "key_a", "--disable"],
                      ["keys", "revoke", "key_a", "--yes"]):
        outcome = program.run(*arguments)
        assert outcome.code == 1 and outcome.out == ""
        assert "no database yet at 'var/concurred.db'" in outcome.err and "concurred keys create" in outcome.err
    assert not program.database.parent.exists()


def test_keys_as_json(program):
    made = program.new_key("--name", "one", "--rate-limit", "5")
    (row,) = program.listed()
    assert list(row) == ["keyId", "name", "start", "owner", "rateLimit", "enabled", "createdAt", "expiresAt", "lastUsedAt",
                         "revokedAt"]
    assert row["start"] == made["key"][:7] and row["enabled"] is True
    assert (row["keyId"], row["name"], row["rateLimit"]) == (made["keyId"], "one", 5)
    assert row["expiresAt"] is row["lastUsedAt"] is row["revokedAt"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["createdAt"])


def test_keys_as_a_table(program):
    made = program.new_key("--name", "one", "--rate-limit", "5")
    heading, line = program.ok("keys", "list").lines()
    assert heading[:6] == ["ID", "KEY", "NAME", "OWNER", "LIMIT/MIN", "STATE"] and "EXPIRES" not in heading
    assert line[:6] == [made["keyId"], made["key"][:7] + "...", "one", "local", "5", "active"] and line[-1] == "never"


def test_the_list_is_by_owner_and_without_revoked_keys_unless_asked_for(program):
    mine = program.new_key("--name", "mine")
    program.new_key("--name", "hers", "--owner", "her")
    program.ok("keys", "revoke", mine["keyId"], "--yes")
    assert [row["name"] for row in program.listed()] == ["hers"]
    assert [row["name"] for row in program.listed("--all")] == ["mine", "hers"]
    assert [row["name"] for row in program.listed("--all", "--owner", "local")] == ["mine"]
    assert program.listed("--owner", "nobody") == []
    assert "revoked" in program.ok("keys", "list", "--all").out
    assert program.ok("keys", "list", "--owner", "nobody").out.startswith("No keys.")


def test_what_could_drive_a_terminal_is_not_printed(program):
    program.new_key("--name", "x")
    program.connect().execute("UPDATE api_key SET name = ?", ("\x1b]0;title\x07",))
    assert "\x1b" not in program.ok("keys", "list").out
    assert program.listed()[0]["name"] == "\x1b]0;title\x07"


def test_the_state_of_a_key_is_told(program):
    for name in ("off", "late"):
        program.new_key("--name", name)
    program.connect().execute("UPDATE api_key SET expires_ms = 1000 WHERE name = 'late'")
    off = next(row for row in program.listed() if row["name"] == "off")
    program.ok("keys", "update", off["keyId"], "--disable")
    states = {line[2]: line[5] for line in program.ok("keys", "list").lines()[1:]}
    assert states == {"off": "disabled", "late": "expired"}


# ---- update

def test_what_is_named_changes_and_nothing_else(program):
    key_id = program.new_key("--name", "old", "--rate-limit", "5", "--expires", "30d")["keyId"]
    (before,) = program.listed()
    changed = program.ok("keys", "update", key_id, "--name", "new", "--json").json()
    assert changed == {**before, "name": "new"}
    assert program.ok("keys", "update", key_id, "--rate-limit", "9", "--json").json()["rateLimit"] == 9
    assert program.ok("keys", "update", key_id, "--disable", "--json").json()["enabled"] is False
    assert program.ok("keys", "update", key_id, "--enable", "--json").json()["enabled"] is True
    assert program.ok("keys", "update", key_id, "--no-expiry", "--json").json()["expiresAt"] is None
    assert program.ok("keys", "update", key_id, "--expires", "1h", "--json").json()["expiresAt"] is not None
    assert "State       active" in program.ok("keys", "update", key_id, "--name", "newer").out
    assert program.listed()[0]["name"] == "newer"


@pytest.mark.parametrize("arguments, said", [([], "nothing to change"), (["--rate-limit", "0"], "from 1 to 1000000"),
                                             (["--name", ""], "1 to 255 bytes"), (["--expires", "2020-01-01"], "future")])
def test_a_wrong_change_is_wrong_usage(program, arguments, said):
    outcome = program.run("keys", "update", program.new_key()["keyId"], *arguments)
    assert outcome.code == 64 and said in outcome.err


@pytest.mark.parametrize("command", [["update", "key_nonsuch", "--disable"], ["revoke", "key_nonsuch", "--yes"]])
def test_an_unknown_id_is_exit_code_1(program, command):
    program.new_key()
    outcome = program.run("keys", *command)
    assert outcome.code == 1 and outcome.out == "" and "no key with the id 'key_nonsuch'" in outcome.err


# ---- revoke

def test_a_revoked_key_is_gone_for_good(program):
    key_id = program.new_key("--name", "mine")["keyId"]
    assert program.ok("keys", "revoke", key_id, "--json").json()["revokedAt"] is not None  # no terminal: not asked
    assert program.run("keys", "revoke", key_id).code == 1
    assert program.run("keys", "update", key_id, "--enable").code == 1
    assert program.listed() == []


def on_terminal(program, arguments, answer):
    """Runs a command on a terminal, waits for its question, types. Returns exit code and what the terminal showed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(**program.command(arguments), stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    asked = False
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if not select.select([controller], [], [], 1.0)[0]:
                continue
            try:
                piece = os.read(controller, 1000)
            except OSError:  # the other end is closed
                break
            shown += piece
            if b"[y/N]" in shown and not asked:
                asked = True
                os.write(controller, answer.encode() + b"\n")
        return process.wait(PATIENCE), shown.decode()
    finally:
        process.kill()
        os.close(controller)


@pytest.mark.parametrize("answer, code, left", [("y", 0, 0), ("yes", 0, 0), ("n", 1, 1), ("", 1, 1), ("yep", 1, 1)])
def test_on_a_terminal_revoking_asks(program, answer, code, left):
    key_id = program.new_key("--name", "mine")["keyId"]
    got, shown = on_terminal(program, ["keys", "revoke", key_id], answer)
    assert "Revoke the key 'mine' (" + key_id in shown
    assert (got, len(program.listed())) == (code, left)


def test_on_a_terminal_yes_is_not_asked(program):
    key_id = program.new_key()["keyId"]
    code, shown = on_terminal(program, ["keys", "revoke", key_id, "--yes"], "")
    assert code == 0 and "[y/N]" not in shown and program.listed() == []


# ---- the database

@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_folder_that_cannot_be_written_is_exit_code_69(program):
    program.folder.chmod(0o500)
    outcome = program.run("keys", "create", "--name", "x")
    assert outcome.code == 69 and "var" in outcome.err


@pytest.mark.parametrize("path", ["/proc/nonsuch/x.db", "plain/x.db", "."])
def test_a_path_that_cannot_be_a_database_is_exit_code_69(program, path):
    program.write("plain", "a file, not a folder")
    outcome = program.run("keys", "create", "--name", "x", "--set", "storage.path=" + path)
    assert outcome.code == 69 and outcome.out == "" and outcome.err.startswith("concurred: ")


def test_the_file_of_another_program_is_left_alone(program):
    path = program.write("other.db", "precious\n" * 100)
    outcome = program.run("keys", "create", "--name", "x", "--set", "storage.path=other.db")
    assert outcome.code == 1 and "not a database" in outcome.err
    assert path.read_text() == "precious\n" * 100


def test_a_database_locked_for_long_is_exit_code_69_and_makes_no_key(program):
    program.new_key("--name", "first")
    other = program.connect()
    other.execute("BEGIN IMMEDIATE")
    outcome = program.run("keys", "create", "--name", "second")
    other.execute("ROLLBACK")
    assert outcome.code == 69 and outcome.out == "" and "another process holds its lock" in outcome.err
    assert [row["name"] for row in program.listed()] == ["first"]


def test_commands_at_the_same_time_make_the_database_once_and_lose_nothing(program):
    commands = [subprocess.Popen(**program.command(["keys", "create", "--json", "--name", f"n{i}"]), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for i in range(8)]
    for command in commands:
        _, err = command.communicate(timeout=PATIENCE)
        assert (command.returncode, err) == (0, "")
    assert sorted(row["name"] for row in program.listed()) == [f"n{i}" for i in range(8)]


def test_a_reader_beside_a_writer_is_not_kept_waiting(program):
    program.new_key("--name", "first")
    other = program.connect()
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE api_key SET name = 'changed'")
    try:
        assert [row["name"] for row in program.listed()] == ["first"]
    finally:
        other.execute("ROLLBACK")
