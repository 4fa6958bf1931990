"""A PostgreSQL 15 of the test's own, and a pgbouncer in front of it."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

BIN = Path("/usr/lib/postgresql/15/bin")
PATIENCE = 30.0

needs_postgres = pytest.mark.skipif(not (BIN / "initdb").exists(), reason="PostgreSQL 15 is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_postgres(*command, **how):
    """The server refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return [*prefix, *map(str, command)]


def open_the_way(path):
    """Lets the server's user reach a file of ours."""
    for above in path.parents:
        if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 0o001:
            os.chmod(above, above.stat().st_mode | 0o011)


class Postgres:
    """In a `with` statement. @param data: folder on another file system, for the data @param settings: "name=value", ..."""

    def __init__(self, folder, data=None, settings=()):
        self.settings = [word for setting in settings for word in ("-c", setting)]
        self.folder = Path(folder)
        self.data = Path(data or self.folder) / "pgdata"
        self.port = free_port()
        self.process = None
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        for path in {self.folder, self.data.parent}:
            path.mkdir(parents=True, exist_ok=True)
            os.chmod(path, 0o777)
        open_the_way(self.data)
        subprocess.run(as_postgres(BIN / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                                   "--no-sync", "--wal-segsize=1"), check=True, capture_output=True, cwd="/")

    def _spawn(self):
        with open(self.folder / "pglog", "ab") as log:
            self.process = subprocess.Popen(as_postgres(
                BIN / "postgres", "-D", self.data, "-p", self.port, "-k", "", "-h", "127.0.0.1", "-c", "fsync=off",
                "-c", "shared_buffers=16MB", "-c", "max_connections=50", "-c", "min_wal_size=2MB", "-c",
                "max_wal_size=4MB", *self.settings), stdout=log, stderr=log, cwd="/")

    def start(self):
        self._spawn()
        deadline = time.monotonic() + PATIENCE
        while subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                             check=False).returncode != 0:
            assert time.monotonic() < deadline, (self.folder / "pglog").read_text()
            time.sleep(0.02)
            if self.process.poll() is not None:  # children of one that was killed still hold its memory
                self._spawn()
        return self

    def kill(self):
        """All of it, at once: as a power cut would, but for the disk."""
        pids = [int(line.split()[0]) for line in (self.data / "postmaster.pid").read_text().splitlines()[:1]]
        for pid in pids:
            os.kill(pid, 9)
        self.process.wait(PATIENCE)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            subprocess.run(as_postgres(BIN / "pg_ctl", "-D", self.data, "stop", "-m", "fast", "-w"), check=False,
                           capture_output=True, cwd="/")
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait(PATIENCE)

    def query(self, sql, url=None):
        """Rows as tuples of texts."""
        done = subprocess.run([BIN / "psql", "-X", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", sql,
                               url or self.url], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Pgbouncer:
    """In transaction mode: a session of the client is none of the server."""

    def __init__(self, folder, postgres):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        users = self.folder / "users.txt"
        users.write_text('"postgres" ""\n')
        ini = self.folder / "pgbouncer.ini"
        ini.write_text(f"[databases]\npostgres = host=127.0.0.1 port={postgres.port} dbname=postgres user=postgres\n"
                       f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nauth_type = trust\n"
                       f"auth_file = {users}\npool_mode = transaction\ndefault_pool_size = 2\nunix_socket_dir =\n"
                       f"logfile = {self.folder}/pgbouncer.log\n")
        for path in (users, ini):
            os.chmod(path, 0o644)
        os.chmod(self.folder, 0o777)
        open_the_way(ini)
        self.ini = ini
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(as_postgres(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", self.ini),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)


class PostgresBooks:
    """The ledger of usage_proof.py in PostgreSQL."""

    def __init__(self, postgres):
        self.postgres = postgres

    def rows(self, sql):
        rows = self.postgres.query(sql)
        if "SELECT event_id, ended" in sql:
            return [(e, int(ended), estimated == "t", int(prompt)) for e, ended, estimated, prompt in rows]
        return rows

    @staticmethod
    def id_text(value):
        return value
