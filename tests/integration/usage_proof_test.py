"""The proof that usage is neither lost nor counted twice, in 50 quick rounds; by hand with more: see usage_proof.py."""

import json
import os
import random
import shutil
import sqlite3
import subprocess

import pytest

from harness import needs_binary
from usage_proof import SUMS, Gateways, Generator, Provider, SqliteBooks, check_books, lock_database, prove

pytestmark = needs_binary


@pytest.mark.watchdog(170)
def test_after_fifty_kills_the_books_of_client_provider_and_gateway_agree(tmp_path):
    figures = prove(tmp_path, rounds=50, seed=5, disturb=lambda n, chance: lock_database(
        tmp_path, chance.uniform(0.02, 0.3)) if n % 10 == 3 else None)
    print(json.dumps(figures))
    # The test has tested something: kills hit requests under way, and most requests went through.
    assert figures["settled"] > 500 and figures["aborted"] > 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True,
                      check=False).returncode != 0:
        print("no small file system can be mounted here: the full disk is not tested")
        pytest.skip("mount is not allowed")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_admission_and_loses_nothing(tmp_path, small_disk):
    provider = Provider()
    gateways = Gateways(tmp_path, provider)
    text = (tmp_path / "concurred.toml").read_text()
    (tmp_path / "concurred.toml").write_text(text.replace(
        'flush_interval = "20ms"', f'flush_interval = "20ms"\nspool = "{small_disk}/spool"\nspool_limit = "4MiB"'))
    database = sqlite3.connect(tmp_path / "var" / "concurred.db", timeout=30, isolation_level=None)
    for number in range(3):
        gateways.start(number)
    # Nothing can be applied, and the disk fills up.
    database.execute("BEGIN IMMEDIATE")
    filler = small_disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True, check=False)
    generator = Generator(gateways, 3)
    try:
        from harness import eventually
        eventually(lambda: generator.refused > 20, "refusals of a full disk", 60)
        assert "usage spool is in trouble" in (tmp_path / "log0").read_text()
        gateways.kill(1)  # and one dies while it is full
        os.remove(filler)
        database.execute("ROLLBACK")
        gateways.start(1)
        assert set(generator.statuses) == {503}
        whole = len(generator.whole)
        eventually(lambda: len(generator.whole) > whole + 100, "requests to go through again", 60)
        generator.stop()
        gateways.stop()
        gateways.start(0)
        gateways.stop()
    finally:
        generator.stopping = True
        database.close()
        for process in gateways.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)
    print(json.dumps(check_books(SqliteBooks(tmp_path), provider, generator)))


def test_segments_that_are_replayed_in_any_order_and_twice_change_nothing(tmp_path):
    """A copy of a dead process's spool is put back again and again, under other company."""
    provider = Provider()
    gateways = Gateways(tmp_path, provider)
    spool = tmp_path / "var" / "spool"
    for number in range(3):
        gateways.start(number)
    generator = Generator(gateways, 9)
    from harness import eventually
    copies = []
    try:
        with sqlite3.connect(tmp_path / "var" / "concurred.db", timeout=30, isolation_level=None) as database:
            database.execute("BEGIN IMMEDIATE")  # so that the spools hold something
            eventually(lambda: len(generator.whole) > 200, "some load", 60)
            generator.stop()
            for number in range(3):
                gateways.kill(number)
            for folder in [f for f in spool.iterdir() if f.is_dir()]:
                shutil.copytree(folder, tmp_path / "copies" / folder.name)
                copies.append(folder.name)
            database.execute("ROLLBACK")
        gateways.start(0)
        gateways.stop()
        books = SqliteBooks(tmp_path)
        first = check_books(books, provider, generator)
        totals = books.rows(f"SELECT sum(requests), {', '.join(f'sum({s})' for s in SUMS)} FROM usage_daily")
        chance = random.Random(4)
        for _ in range(6):
            for name in chance.sample(copies, 2) + [chance.choice(copies)]:
                shutil.copytree(tmp_path / "copies" / name, spool / name, dirs_exist_ok=True)
            gateways.start(0)
            gateways.stop()
            assert books.rows(f"SELECT sum(requests), {', '.join(f'sum({s})' for s in SUMS)} FROM usage_daily") == totals
        assert check_books(books, provider, generator) == first
        assert first["booked"] > 200
    finally:
        generator.stopping = True
        for process in gateways.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)
