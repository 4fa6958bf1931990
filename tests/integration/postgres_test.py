"""Keys and usage in PostgreSQL 15: killed and started again, full, in the way of others, behind a pooler."""

import datetime
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from harness import eventually, needs_binary
from mock_provider import binary
from postgres_server import BIN, Pgbouncer, Postgres, PostgresBooks, needs_postgres
from redis_rig import Redis, needs_redis
from usage_proof import Gateways, Generator, Harm, Provider, check_books, prove

pytestmark = [needs_binary, needs_postgres]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with Postgres(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(request):
    if "postgres" in request.fixturenames:
        request.getfixturevalue("postgres").query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def config(url):
    return f'[postgres]\nurl = "{url}"\n'


def run(folder, *arguments):
    return subprocess.run([binary(), *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_stores_do_what_sqlite_s_do(postgres):
    tests = Path(binary()).parent / "tests" / "concurred_tests"
    if not tests.exists():
        print("the unit tests are not built beside the program: the stores' contract is not run")
        pytest.skip("no unit tests")
    done = subprocess.run([tests, "-ts=storage/store_contract*"], env={**os.environ, "CONCURRED_TEST_POSTGRES": postgres.url},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert postgres.query("SELECT count(*) FROM concurred_schema") == [("1",)]  # it was this database


def test_ten_processes_migrate_together_and_one_does_it(postgres, tmp_path):
    (tmp_path / "concurred.toml").write_text(config(postgres.url))
    assert run(tmp_path, "version").returncode == 0
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(run(tmp_path, "migrate"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in outcomes] == [0] * 10, [done.stderr for done in outcomes]
    lines = [line for done in outcomes for line in done.stdout.splitlines() if line.startswith("PostgreSQL")]
    assert len([line for line in lines if "version 0 -> " in line]) == 1
    assert postgres.query("SELECT count(*) FROM concurred_schema") == [("1",)]


def test_a_schema_of_a_newer_program_is_left_alone(postgres, tmp_path):
    (tmp_path / "concurred.toml").write_text(config(postgres.url))
    postgres.query("CREATE TABLE concurred_schema (version integer NOT NULL); INSERT INTO concurred_schema VALUES (99)")
    done = run(tmp_path, "migrate")
    assert done.returncode != 0 and "99" in done.stderr
    assert postgres.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [("1",)]


def test_a_server_that_is_away_is_named_without_its_password(tmp_path):
    (tmp_path / "concurred.toml").write_text(config("postgres://u:hush-hush@127.0.0.1:1/x"))
    done = run(tmp_path, "keys", "list")
    assert done.returncode != 0 and "PostgreSQL: cannot connect" in done.stderr
    assert "hush" not in done.stderr + run(tmp_path, "print-config").stdout


@pytest.mark.watchdog(150)
def test_the_books_agree_when_gateways_and_database_are_killed(postgres, tmp_path):
    def disturb(number, chance):
        if number % 4 == 1:
            postgres.kill()
            postgres.start()

    figures = prove(tmp_path, rounds=12, seed=2, extra=config(postgres.url), disturb=disturb,
                    books=PostgresBooks(postgres))
    print(json.dumps(figures))
    assert figures["settled"] > 100


@needs_redis
@pytest.mark.watchdog(150)
def test_the_books_agree_when_redis_dies_as_well(postgres, tmp_path):
    with Redis(tmp_path) as redis:
        harm = Harm(tmp_path, postgres, redis)
        figures = prove(tmp_path, 12, 7, harm.settings(), harm, PostgresBooks(postgres), limits='mode = "strict"\n')
    print(json.dumps(figures), harm.done)
    assert figures["settled"] > 50 and harm.done["redis"] > 0 and harm.done["database"] > 0


@pytest.mark.watchdog(150)
def test_the_books_agree_behind_a_pooler_in_transaction_mode(postgres, tmp_path):
    with Pgbouncer(tmp_path, postgres) as pooler:
        figures = prove(tmp_path, rounds=6, seed=3, extra=config(pooler.url), books=PostgresBooks(postgres))
    assert figures["settled"] > 50


def under_load(postgres, tmp_path, harm, gateways_running=1):
    """Runs gateways under load, does harm, and compares the books."""
    provider = Provider()
    gateways = Gateways(tmp_path, provider, config(postgres.url))
    for number in range(3):
        if number < gateways_running:
            gateways.start(number)
        else:
            gateways.ports[number] = gateways.ports[0]
    generator = Generator(gateways, 4)
    try:
        eventually(lambda: postgres.query("SELECT count(*) FROM usage_daily") != [("0",)], "usage")
        harm()
        whole = len(generator.whole)
        eventually(lambda: len(generator.whole) > whole + 50, "requests")
        generator.stop()
        gateways.stop()
    finally:
        generator.stopping = True
        for process in gateways.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)
    check_books(PostgresBooks(postgres), provider, generator)


def test_locks_and_a_deadlock_delay_usage_and_lose_none(postgres, tmp_path):
    """Another session takes the sums first and then the records, until the server ends one of the two."""

    def harm():
        for _ in range(5):
            subprocess.run([BIN / "psql", "-X", "-c", "SET deadlock_timeout = '2s'; BEGIN; SELECT * FROM usage_daily FOR "
                            "UPDATE; SELECT pg_sleep(0.3); LOCK TABLE usage_event IN SHARE ROW EXCLUSIVE MODE; COMMIT",
                            postgres.url], capture_output=True, check=False)
            if "deadlock detected" in (postgres.folder / "pglog").read_text():
                return
        raise AssertionError("there was no deadlock")

    under_load(postgres, tmp_path, harm)


def test_transactions_that_cannot_be_serialised_are_done_again(postgres, tmp_path):
    postgres.query("ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'")
    try:
        log = postgres.folder / "pglog"
        under_load(postgres, tmp_path, lambda: eventually(
            lambda: "could not serialize access" in log.read_text(), "a conflict", 60), gateways_running=3)
    finally:
        postgres.query("ALTER DATABASE postgres RESET default_transaction_isolation")


def test_usage_waits_in_the_spool_while_the_database_s_disk_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m,mode=0777", "tmpfs", disk], capture_output=True,
                      check=False).returncode != 0:
        print("no small file system can be mounted here: the full disk is not tested")
        pytest.skip("mount is not allowed")
    server = None
    try:
        server = Postgres(tmp_path / "server", disk).start()
        provider = Provider()
        gateways = Gateways(tmp_path, provider, config(server.url))
        gateways.start(0)
        for number in (1, 2):
            gateways.ports[number] = gateways.ports[0]
        generator = Generator(gateways, 4)
        try:
            eventually(lambda: len(generator.whole) > 20, "requests")
            filler = disk / "filler"
            subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=16k"], capture_output=True, check=False)
            eventually(lambda: "usage could not be written" in (tmp_path / "log0").read_text(), "a full disk", 60)
            whole = len(generator.whole)
            eventually(lambda: len(generator.whole) > whole + 50, "serving to go on", 60)
            filler.unlink()
            if server.process.poll() is not None:  # it gives up when its log has no room
                server.start()
            generator.stop()
            eventually(lambda: "usage is written again" in (tmp_path / "log0").read_text(), "recovery", 60)
            gateways.stop()
        finally:
            generator.stopping = True
            if gateways.processes[0].poll() is None:
                gateways.processes[0].kill()
                gateways.processes[0].wait(10)
        check_books(PostgresBooks(server), provider, generator)
    finally:
        if server is not None:
            server.stop()
        subprocess.run(["umount", "-l", disk], check=True)


def test_months_are_made_ahead_and_go_whole(postgres, tmp_path):
    def months():
        return [name for name, in postgres.query("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = "
                                                 "'usage_event'::regclass ORDER BY 1") if name != "usage_event_rest"]

    def month(later):
        today = datetime.datetime.now(datetime.timezone.utc)
        number = today.year * 12 + today.month - 1 + later
        return f"usage_event_{number // 12:04d}_{number % 12 + 1:02d}"

    (tmp_path / "concurred.toml").write_text(config(postgres.url))
    assert run(tmp_path, "migrate").returncode == 0
    # May 2020, as an older run has left it; and a single request that no month was made for.
    postgres.query("CREATE TABLE usage_event_2020_05 PARTITION OF usage_event FOR VALUES FROM (18383) TO (18414)")
    event = ", ".join(["0"] * 2 + ["false"] * 4 + ["0"] * 10 + ["''"] * 7)
    for day in (18_400, 18_500):
        postgres.query(f"INSERT INTO usage_event VALUES (gen_random_uuid(), {day}, 0, {event})")
    assert postgres.query("SELECT tableoid::regclass FROM usage_event ORDER BY day") == [("usage_event_2020_05",),
                                                                                       ("usage_event_rest",)]

    def harm():
        assert set(months()) >= {month(later) for later in range(4)}  # this one and three ahead
        eventually(lambda: "usage_event_2020_05" not in months(), "the old month to be dropped", 60)
        eventually(lambda: postgres.query("SELECT count(*) FROM usage_event WHERE day < 19000") == [("0",)], "the rest")
        assert postgres.query("SELECT DISTINCT tableoid::regclass FROM usage_event") == [(month(0),)]

    under_load(postgres, tmp_path, harm)


def test_keys_are_shared_by_gateways_and_commands(postgres, tmp_path):
    provider = Provider()
    gateways = Gateways(tmp_path, provider, config(postgres.url))
    for number in range(3):
        gateways.start(number)
    generator = Generator(gateways, 6)
    try:
        eventually(lambda: len(generator.whole) > 10, "requests")
        key_id = postgres.query("SELECT id FROM api_key")[0][0]
        assert run(tmp_path, "keys", "revoke", key_id, "--yes").returncode == 0

        def no_answers():
            """Forty refusals in a row, from all three."""
            refused, whole = generator.refused, len(generator.whole)
            eventually(lambda: generator.refused > refused + 40, "refusals")
            return len(generator.whole) == whole

        eventually(no_answers, "all gateways to refuse the key")
        generator.stop()
        gateways.stop()
    finally:
        generator.stopping = True
        for process in gateways.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)
    done = run(tmp_path, "usage", "--json")
    assert json.loads(done.stdout)["data"]["totalRequests"] > 10
