"""A real PocketBase for tests: one process, its own folder, a free port, and the few calls that tests make.

Python's standard library only. POCKETBASE_BIN names the binary; without it, the one `scripts/pocketbase` installs.
"""

import fcntl
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "pb_migrations"
HOOKS = ROOT / "pb_commands"
SUPERUSER = ("root@identivia.test", "correct-horse-battery")
STARTUP_SECONDS = 20

# A run that is terminated still leaves its `with` blocks, so no server and no folder is left over.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def binary():
    """The path of the PocketBase to test with."""
    chosen = pathlib.Path(os.environ.get("POCKETBASE_BIN") or ROOT / ".cache/pocketbase/0.40.6/pocketbase")
    if not chosen.is_file():
        raise SystemExit(f"no PocketBase at {chosen}: run scripts/pocketbase, or name one in POCKETBASE_BIN")
    return str(chosen)


class Folder:
    """A data directory and a migrations directory, removed at the end. The hooks are the project's, or those of `hooks`."""

    def __init__(self, migrations=()):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="identivia-pb-"))
        self.migrations = self.path / "pb_migrations"
        self.migrations.mkdir()
        self.hooks = HOOKS
        self.use(migrations)

    def use(self, migrations):
        """Makes exactly these migration files available."""
        for old in self.migrations.iterdir():
            old.unlink()
        for file in migrations:
            shutil.copy(file, self.migrations)

    def command(self, *arguments, answer=""):
        """Runs a PocketBase command on this folder; a failure shows its output."""
        done = subprocess.run(
            [binary(), *arguments, *self.flags()], input=answer, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"pocketbase {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def flags(self):
        folders = {"--dir": self.path / "pb_data", "--migrationsDir": self.migrations, "--hooksDir": self.hooks}
        return [*(f"{flag}={folder}" for flag, folder in folders.items()), "--hooksWatch=false", "--automigrate=false"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Server:
    """PocketBase serving a folder. `with Server(folder) as server:` starts and stops it."""

    def __init__(self, folder, env=None):
        self.folder, self.env = folder, env

    def __enter__(self):
        self.folder.command("superuser", "upsert", *SUPERUSER)
        self.held, self.port = take_port()
        self.log = open(self.folder.path / "log", "ab")
        self.spawn()
        try:
            self.wait()
            self.superuser = self.login("_superusers", *SUPERUSER)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.held.close()

    def spawn(self):
        """Starts the process, at the same port each time."""
        self.process = subprocess.Popen(
            [binary(), "serve", "--http", f"127.0.0.1:{self.port}", *self.folder.flags()],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env=self.env and os.environ | self.env,
        )

    def wait(self):
        deadline = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if self.call("GET", "/api/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"PocketBase did not start:\n{(self.folder.path / 'log').read_text()}")

    def call(self, method, path, body=None, token=None, files=None, headers=None):
        """One request. `files` (field -> (name, bytes)) makes it multipart. Returns (status, decoded body)."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = token
        data = None
        if files is not None:
            headers["Content-Type"], data = multipart(body or {}, files)
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        if answer.headers.get_content_type() == "application/json" and raw:
            return answer.status, json.loads(raw)
        return answer.status, raw

    def login(self, collection, identity, password):
        """A token. Raises an error when the sign-in is refused."""
        status, answer = self.call(
            "POST", f"/api/collections/{collection}/auth-with-password", {"identity": identity, "password": password}
        )
        if status != 200:
            raise SystemExit(f"sign-in to {collection} as {identity} was refused: {status} {answer}")
        return answer["token"]

    def make(self, collection, body, token=None, files=None):
        """Creates a record, as superuser by default, and returns it."""
        status, answer = self.call("POST", records(collection), body, token or self.superuser, files)
        if status != 200:
            raise SystemExit(f"could not create in {collection}: {status} {answer}")
        return answer


def records(collection, record=""):
    """The address of a collection's records, or of one of them."""
    return f"/api/collections/{collection}/records" + (f"/{record}" if record else "")


def multipart(fields, files):
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for name, (filename, content) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


def take_port():
    """A port that no other test takes while the lock that comes with it is open, also when nothing listens there.

    Below the range from which the system takes the ports of outgoing connections; tests/it/harness/ports.rs says more.
    """
    folder = pathlib.Path(tempfile.gettempdir()) / "identivia-ports"
    folder.mkdir(exist_ok=True)
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)
        lock = open(folder / str(port), "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
            return lock, port
        except OSError:
            lock.close()
    raise SystemExit("no free port between 20000 and 32000")


def migrations():
    """The project's migrations, oldest first."""
    return sorted(MIGRATIONS.glob("*.js"))
