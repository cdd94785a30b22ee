"""The parts of a system under test: PocketBase with the schema, sandbox, sidecar, floor; each with its own folder and port."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

import pocketbase
from process import TICK, Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
API_KEY = "bench-api-key-0123456789abcdef"
SERVICE = ("sidecar@identivia.test", "staple-correct-horse")
PERSON_PASSWORD = "twelve-or-more-letters"
TOKEN_SECONDS = 86400
DRIVER_SECONDS = 900


class Binaries:
    """The programs of a run."""

    def __init__(self, sidecar, sandbox, driver, profile):
        self.sidecar, self.sandbox, self.driver, self.profile = sidecar, sandbox, driver, profile


class Pocketbase(pocketbase.Server):
    """A fresh server with the schema, a service account and one person, and tokens for both."""

    def __init__(self, hooks=None, env=None):
        self.hooks = hooks
        super().__init__(pocketbase.Folder(pocketbase.migrations()), env)

    def __enter__(self):
        if self.hooks:
            self.folder.hooks = self.folder.path / "pb_hooks"
            shutil.copytree(self.hooks, self.folder.hooks)
        super().__enter__()
        try:
            self.url = f"http://127.0.0.1:{self.port}"
            # Its limits on sign-ins would be measured otherwise: the facade checks a person's token by a refresh.
            limits = {"rateLimits": {"enabled": False}}
            status, answer = self.call("PATCH", "/api/settings", limits, self.superuser)
            if status != 200:
                raise SystemExit(f"the limits stay: {status} {answer}")
            email, password = SERVICE
            self.service = self.make(
                "services", {"email": email, "password": password, "passwordConfirm": password, "name": "sidecar"}
            )
            self.person = self.make(
                "users",
                {"email": "anna@people.test", "password": PERSON_PASSWORD, "passwordConfirm": PERSON_PASSWORD},
            )
            self.service_token = self.token("services", self.service["id"])
            self.person_token = self.token("users", self.person["id"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        super().__exit__()
        self.folder.__exit__()

    def token(self, collection, record):
        path = f"/api/collections/{collection}/impersonate/{record}"
        status, answer = self.call("POST", path, {"duration": TOKEN_SECONDS}, self.superuser)
        if status != 200:
            raise SystemExit(f"no token for {collection}: {status} {answer}")
        return answer["token"]

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.kill()
        self.process.wait()

    def start(self):
        """Starts it again, after `kill`."""
        self.spawn()

    def ready(self):
        self.wait()

    def sql(self, query):
        """Runs a statement as superuser and returns the answer."""
        status, answer = self.call("POST", "/api/sql", {"query": query}, self.superuser)
        if status != 200:
            raise SystemExit(f"SQL was refused: {status} {answer}: {query[:300]}")
        return answer

    def row(self, query):
        """The cells of the only row of a query's answer."""
        answer = self.sql(query)
        row = (answer.get("rows") or answer.get("items") or answer.get("data"))[0]
        return list(row.values()) if isinstance(row, dict) else row

    def count(self, collection, condition="1=1"):
        """The number of rows that meet a condition."""
        path = f"/api/collections/{collection}/records?perPage=1&fields=id&filter="
        status, answer = self.call("GET", path + urllib.request.quote(condition), token=self.superuser)
        if status != 200:
            raise SystemExit(f"could not count {collection}: {status} {answer}")
        return answer["totalItems"]

    def all(self, collection, condition, sort="created"):
        """All rows that meet a condition, up to a page."""
        query = urllib.request.quote(condition)
        path = f"/api/collections/{collection}/records?perPage=500&sort={sort}&filter={query}"
        status, answer = self.call("GET", path, token=self.superuser)
        if status != 200:
            raise SystemExit(f"could not list {collection}: {status} {answer}")
        return answer["items"]

    def download(self, collection, record, name):
        _, answer = self.call("POST", "/api/files/token", {}, self.superuser)
        return self.call("GET", f"/api/files/{collection}/{record}/{name}?token={answer['token']}")[1]


class Sandbox(Process):
    """The providers."""

    def __init__(self, binaries, folder):
        super().__init__("sandbox", [binaries.sandbox, "serve", "--listen", "127.0.0.1:0"], folder)

    def ready(self):
        said = self.wait_for("its address", lambda: re.search(r"listening on (http://\S+)", self.said()))
        self.url = said.group(1)

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")


class Sidecar(Process):
    """The sidecar, configured as in production."""

    def __init__(self, binaries, folder, server, sandbox, instance="one", **changes):
        self.address = None
        env = sidecar_environment(server.url, sandbox.url, instance) | changes
        super().__init__(f"sidecar-{instance}", [binaries.sidecar], folder, env)

    def ready(self):
        self.listening()
        self.wait_for("health", self.healthy)

    def listening(self):
        self.url = "http://" + self.wait_for("its address", self._address)

    def _address(self):
        for line in self.said().splitlines():
            if '"ready"' in line and line.startswith("{") and line.endswith("}"):
                said = json.loads(line)
                if said.get("message") == "ready":
                    return said["address"]
        return None

    def healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


class Floor(Process):
    """The least that a service next to PocketBase can do."""

    def __init__(self, binaries, folder, server):
        command = [binaries.driver, "floor", "--pocketbase", server.url, "--token", server.service_token]
        super().__init__("floor", command, folder)

    def ready(self):
        self.wait_for("its word", lambda: "ready" in self.said())


def sidecar_environment(pocketbase_url, sandbox_url, instance):
    """The whole configuration of a sidecar."""
    email, password = SERVICE
    return {
        "POCKETBASE_URL": pocketbase_url,
        "PB_USER_EMAIL": email,
        "PB_USER_PASSWORD": password,
        "API_KEY": API_KEY,
        "CLIENT_URL": "http://127.0.0.1:5173",
        "FACE_LIVENESS_THRESHOLD": "75",
        "OPENAI_DIALECT": "reasoning",
        **provider_environment(sandbox_url),
        "LISTEN": "127.0.0.1:0",
        "METRICS_LISTEN": "off",
        "INSTANCE": instance,
        "LOG_FORMAT": "json",
        # The providers answer at once and without limit: no quota is measured.
        **{f"{provider}_CALLS_PER_SECOND": "10000" for provider in ("AWS", "OPENAI", "FINGERPRINT")},
        **{f"{provider}_CALLS_AT_ONCE": "64" for provider in ("AWS", "OPENAI", "FINGERPRINT")},
        "KEY_REQUESTS_PER_MINUTE": "1000000000",
        "USER_REQUESTS_PER_MINUTE": "1000000000",
    }


def provider_environment(sandbox_url):
    """The addresses of the providers and the credentials: the same for the sidecar and its peers."""
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIASANDBOX000000001",
        "AWS_SECRET_ACCESS_KEY": "sandbox-secret-access-key-not-a-secret00",
        "AWS_ENDPOINT_URL": sandbox_url,
        "OPENAI_MODEL": "gpt-6-luna",
        "OPENAI_API_KEY": "sk-sandbox",
        "OPENAI_BASE_URL": f"{sandbox_url}/v1",
        "FINGERPRINT_SECRET_KEY": "fp-sandbox",
        "FINGERPRINT_BASE_URL": sandbox_url,
    }


class Driver:
    """The compiled load driver."""

    def __init__(self, binaries):
        self.path = binaries.driver

    def run(self, *arguments):
        """Runs one command and returns the figures that it prints."""
        command = [str(self.path), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DRIVER_SECONDS, check=False)
        if done.returncode != 0:
            raise SystemExit(f"driver {arguments[0]} ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return json.loads(done.stdout)

    def against(self, server, sandbox, *arguments):
        """Runs one command as the person of `server`; `cpu_seconds` are PocketBase's during that time."""
        figures = self.run(
            arguments[0],
            *("--pocketbase", server.url, "--sandbox", sandbox.url),
            *("--token", server.person_token, "--user", server.person["id"]),
            *("--meter", server.pid),
            *arguments[1:],
        )
        figures["cpu_seconds"] = figures["cpu_ticks"] / TICK
        if figures["failed"]:
            print(f"    {figures['failed']} came to nothing, the first: {figures['complaint']}")
        return figures


def specimen(binaries, folder, name="front.jpg", *flaws):
    """The passport that is submitted, drawn by the sandbox."""
    path = pathlib.Path(folder) / name
    command = [str(binaries.sandbox), "specimen", "--type=passport", "--person=anna", "--birth=1990-08-12"]
    command += ["--number=L898902C7", "--name=Anna Maria Eriksson", "--out", str(path), *(f"--flaw={f}" for f in flaws)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="identivia-bench-")


def environment_of_child(**changes):
    return os.environ | changes
