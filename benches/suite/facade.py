"""Group 3: the facade compared with PocketBase, a Node server and bare hyper, at 64 connections."""

import json
import pathlib
import subprocess
import time
import urllib.request

import machine
from process import Process, cpu_seconds
from report import Row, compare, guarded, median
from stack import API_KEY, SERVICE, Pocketbase, Sandbox, Sidecar, environment_of_child

TITLE = "3. Facade: 64 connections"
CONNECTIONS = 64
# The number of verifications that are asked for in turn.
RECORDS = 100
STATUS_AIM, CPU_AIM, VERIFY_AIM = 0.75, 0.1, 0.95
DECLARED = {
    "name": "Anna Maria Eriksson",
    "date_of_birth": "1990-08-12",
    "document_type": "passport",
    "document_number": "L898902C7",
    "country": "UTO",
}
CONSENT = {"version": "bench-1", "given_at": "2026-01-01T10:00:00Z"}


class Express(Process):
    """The facade as one would write it with Node, Express and PocketBase's SDK."""

    def __init__(self, folder, server):
        email, password = SERVICE
        env = environment_of_child(
            POCKETBASE_URL=server.url, PB_USER_EMAIL=email, PB_USER_PASSWORD=password, API_KEY=API_KEY, NODE_ENV="production"
        )
        super().__init__("express", ["node", machine.node_peers() / "express.mjs"], folder, env)

    def ready(self):
        said = self.wait_for("its address", lambda: [w for w in self.said().split() if w.startswith("http://")])
        self.url = said[0]


class Bare(Process):
    """Bare hyper with the facade's own answer."""

    def __init__(self, binaries, folder, body):
        path = pathlib.Path(folder) / "body.json"
        path.write_bytes(body)
        super().__init__("bare", [binaries.driver, "bare", "--body", path], folder)

    def ready(self):
        self.url = "http://" + self.wait_for("its address", lambda: self.said().partition("ready ")[2].strip())


def run(bench):
    seconds = bench.pick(4, 3, 2)
    rounds = bench.pick(5, 3, 2)
    with (
        bench.folder() as folder,
        Pocketbase() as server,
        Sandbox(bench.binaries, folder) as sandbox,
        Sidecar(bench.binaries, folder, server, sandbox) as sidecar,
        Express(folder, server) as express,
    ):
        ids = [make(server)["id"] for _ in range(RECORDS)]
        settle(server)
        body = request(sidecar.url, f"/api/v1/status/{ids[0]}")
        with Bare(bench.binaries, folder, body) as bare:
            load = Load(folder, ids, seconds)
            raw = {"status": status(bench, rounds, load, server, sidecar, express, bare)}
            raw["verify"] = verify(bench, rounds, load, server, sidecar, express)
    bench.raw["facade"] = raw
    return status_rows(raw["status"]) + verify_rows(raw["verify"])


def status(bench, rounds, load, server, sidecar, express, bare):
    """Reads the same verifications from each."""
    record = "/api/collections/verifications/records/ID"
    key = {"X-API-Key": API_KEY}
    rivals = {
        "ours": (sidecar, sidecar.url, "/api/v1/status/ID", key),
        "pocketbase": (server, server.url, record, {"Authorization": server.service_token}),
        "express": (express, express.url, "/api/v1/status/ID", key),
        "hyper": (bare, bare.url, "/api/v1/status/ID", key),
    }
    taken = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, (who, url, path, headers) in bench.turn(number, rivals):
            before = [cpu_seconds(pid) for pid in (who.pid, server.pid)]
            figures = load.run(url, "GET", path, headers)
            figures["cpu_us"] = 1e6 * (cpu_seconds(who.pid) - before[0]) / figures["requests"]
            figures["pocketbase_cpu_us"] = 1e6 * (cpu_seconds(server.pid) - before[1]) / figures["requests"]
            if number:  # the first round warms up
                taken[name].append(figures)
    return taken


def verify(bench, rounds, load, server, sidecar, express):
    """Creates verifications of the same person through each, with the sidecar at work behind all of them."""
    person = {"Authorization": f"Bearer {server.person_token}", "Content-Type": "application/json"}
    ours = {"declared": DECLARED, "consent": CONSENT, "locale": "en"}
    stored = {f"declared_{name}": value for name, value in DECLARED.items()} | {
        "user": server.person["id"],
        "consent_version": CONSENT["version"],
        "consent_given_at": CONSENT["given_at"],
        "locale": "en",
    }
    direct = {"Authorization": server.person_token, "Content-Type": "application/json"}
    rivals = {
        "ours": (sidecar.url, "/api/v1/verify", person, ours),
        "pocketbase": (server.url, "/api/collections/verifications/records", direct, stored),
        "express": (express.url, "/api/v1/verify", person, ours),
    }
    taken = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, (url, path, headers, body) in bench.turn(number, rivals):
            before, began = [cpu_seconds(pid) for pid in (server.pid, sidecar.pid)], time.monotonic()
            figures = load.run(url, "POST", path, headers, body)
            figures["not_looked_at"] = server.count("verifications", "status=''") / figures["requests"]
            settle(server)
            figures["settled_seconds"] = time.monotonic() - began
            figures["pocketbase_cpu_us"] = 1e6 * (cpu_seconds(server.pid) - before[0]) / figures["requests"]
            figures["sidecar_cpu_us"] = 1e6 * (cpu_seconds(sidecar.pid) - before[1]) / figures["requests"]
            if number:
                taken[name].append(figures)
    return taken


def status_rows(taken):
    rate = {name: [figures["requests"] / figures["seconds"] for figures in some] for name, some in taken.items()}
    tail = {name: [figures["p99_ms"] for figures in some] for name, some in taken.items()}
    asked = [figures["pocketbase_cpu_us"] for figures in taken["ours"]]
    read = [figures["cpu_us"] for figures in taken["pocketbase"]]
    ours, bare = (median([figures["cpu_us"] for figures in taken[who]]) for who in ("ours", "hyper"))
    why = f"An answer costs the sidecar {ours:.0f} us of CPU and bare hyper {bare:.0f}: the key, limits, counters and headers of a facade, and the watch."
    return [
        compare("GET status", "/s", rate["ours"], rate["hyper"], "bare hyper, same body", at_least=STATUS_AIM, why=why),
        guarded(compare("GET status", "/s", rate["ours"], rate["pocketbase"], "PocketBase's own read"), at_least=0.5),
        compare("GET status", "/s", rate["ours"], rate["express"], "Node, Express, SDK"),
        compare("GET status, p99", "ms", tail["ours"], tail["hyper"], "bare hyper"),
        compare("GET status, p99", "ms", tail["ours"], tail["pocketbase"], "PocketBase's own read"),
        compare("GET status, p99", "ms", tail["ours"], tail["express"], "Node, Express, SDK"),
        guarded(
            compare("GET status, PocketBase's CPU", "us", asked, read, "PocketBase's own read", at_most=CPU_AIM, why=why),
            # Reading PocketBase for each answer costs as much as PocketBase's own answer.
            at_most=0.4,
        ),
        *(
            Row(f"GET status, CPU of {name}", median([figures["cpu_us"] for figures in taken[who]]), "us")
            for who, name in (("ours", "the sidecar"), ("hyper", "bare hyper"), ("express", "Node"))
        ),
    ]


def verify_rows(taken):
    rate = {name: [figures["requests"] / figures["seconds"] for figures in some] for name, some in taken.items()}
    tail = {name: [figures["p99_ms"] for figures in some] for name, some in taken.items()}
    cpu = {name: [figures["pocketbase_cpu_us"] / 1000 for figures in some] for name, some in taken.items()}
    settled = {name: [figures["requests"] / figures["settled_seconds"] for figures in some] for name, some in taken.items()}
    spent = {name: median([figures["sidecar_cpu_us"] / 1000 for figures in some]) for name, some in taken.items()}
    late = {name: median([figures["not_looked_at"] for figures in some]) for name, some in taken.items()}
    why = (
        f"Each costs the sidecar {spent['ours']:.2f} ms of CPU, {spent['pocketbase']:.2f} of them for the first look, on cores that PocketBase"
        f" and wrk fill. When the load ended, {late['ours']:.0%} had not been looked at yet, of PocketBase's own {late['pocketbase']:.0%}."
    )
    return [
        compare("POST verify", "/s", rate["ours"], rate["pocketbase"], "PocketBase's own create", at_least=VERIFY_AIM, why=why),
        compare("POST verify", "/s", rate["ours"], rate["express"], "Node, Express, SDK"),
        *(
            compare("POST verify, until each was looked at", "/s", settled["ours"], settled[who], beside)
            for who, beside in (("pocketbase", "PocketBase's own create"), ("express", "Node, Express, SDK"))
        ),
        compare("POST verify, p99", "ms", tail["ours"], tail["pocketbase"], "PocketBase's own create"),
        compare("POST verify, p99", "ms", tail["ours"], tail["express"], "Node, Express, SDK"),
        guarded(
            compare("POST verify, PocketBase's CPU with the first look", "ms", cpu["ours"], cpu["pocketbase"], "its own create"),
            at_most=3,
        ),
    ]


class Load:
    """wrk, one thread."""

    def __init__(self, folder, ids, seconds):
        self.folder, self.seconds, self.program = pathlib.Path(folder), seconds, machine.wrk()
        self.ids = self.folder / "ids"
        self.ids.write_text("\n".join(ids) + "\n")
        self.script = pathlib.Path(__file__).with_name("wrk.lua")

    def run(self, url, method, path, headers, body=None):
        file = "-"
        if body is not None:
            file = self.folder / "request.json"
            file.write_text(json.dumps(body))
        command = [self.program, "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "--timeout", "10s", "-s", self.script, url, "--"]
        command += [method, path, self.ids, file, *(part for pair in headers.items() for part in pair)]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SystemExit(f"wrk ended with {done.returncode}: {done.stdout}{done.stderr}")
        figures = json.loads(done.stdout.splitlines()[-1])
        if figures["not_2xx"] or figures["socket_errors"] or not figures["requests"]:
            raise SystemExit(f"{method} {url}{path}: {figures}")
        return figures


def make(server):
    fields = {f"declared_{name}": value for name, value in DECLARED.items()}
    return server.make("verifications", {"user": server.person["id"], **fields}, server.person_token)


def settle(server, bound=120):
    """Waits until the sidecar has looked at everything."""
    deadline = time.monotonic() + bound
    while server.count("verifications", "status=''"):
        if time.monotonic() > deadline:
            raise SystemExit("the sidecar did not look at everything in time")
        time.sleep(0.1)


def request(url, path):
    asked = urllib.request.Request(url + path, headers={"X-API-Key": API_KEY})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read()
