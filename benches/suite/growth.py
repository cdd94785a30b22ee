"""Group 6: growth. A backlog at the start, a long history, more sidecars, more browsers."""

import calendar
import contextlib
import datetime
import http.client
import json
import time
import urllib.parse

from process import Process, forget_peak, memory_mib
from report import Row, compare
from stack import Driver, Floor, Pocketbase, Sandbox, Sidecar

TITLE = "6. Growth"
HISTORY_AIM = 1.2
# /api/sql takes 5000 characters, and one row of events has about 32.
EVENTS_IN_A_STATEMENT = 120
ROWS_IN_A_STATEMENT = 50_000
NOW = "strftime('%Y-%m-%d %H:%M:%fZ', 'now')"


class Browsers(Process):
    """Browsers of the person that only listen."""

    def __init__(self, binaries, folder, server, count):
        place = ["--pocketbase", server.url, "--token", server.person_token]
        super().__init__(f"browsers-{server.port}", [binaries.driver, "browsers", *place, "--count", count], folder)

    def ready(self):
        self.wait_for("its word", lambda: "ready" in self.said())


def run(bench):
    rows = []
    for part in (backlogs, history, sidecars, browsers):
        began = time.monotonic()
        rows += part(bench)
        print(f"    {part.__name__}: {time.monotonic() - began:.0f} s", flush=True)
    return rows


def backlogs(bench):
    rows = []
    for count in bench.pick([1_000, 10_000], [300], long=[1_000, 10_000, 100_000]):
        rows += backlog(bench, count)
    return rows


def backlog(bench, count):
    """Creates verifications, each with a device signal that decides it, before any sidecar runs."""
    with bench.folder() as folder, Pocketbase() as server, Sandbox(bench.binaries, folder) as sandbox:
        policy = server.all("policies", "name='default'")[0]
        changed = {"id": "policydevice001", "name": "device", "required_checks": ["device"], "device_max_age_seconds": 86400}
        server.make("policies", {name: value for name, value in policy.items() if name != "created"} | changed)
        fill(server, sandbox, count)
        with Sidecar(bench.binaries, folder, server, sandbox) as sidecar:
            forget_peak(sidecar.pid)
            began = time.time() - (time.monotonic() - sidecar.started)
            deadline = time.monotonic() + bench.pick(240, 60, long=3600)
            while (left := server.count("verifications", "decided_at=''")) and time.monotonic() < deadline:
                time.sleep(0.5)
            otherwise = server.count("verifications", "decided_at!='' && status!='approved'")
            if otherwise:
                raise RuntimeError(f"{otherwise} of a backlog of {count} were not approved: something else was measured")
            peak = memory_mib(sidecar.pid, "VmHWM")
        decided = server.row("SELECT MIN(decided_at) AS first, MAX(decided_at) AS last FROM verifications WHERE decided_at != ''")
        first, last = (instant(value) - began for value in decided)
    bench.raw[f"backlog {count}"] = {"first_s": first, "last_s": last, "left": left, "peak_mib": peak}
    name = f"backlog of {count:,} at the start"
    return [
        Row(f"{name}: until the first decision", first, "s"),
        Row(f"{name}: until the last decision" + (f" ({left} left when given up)" if left else ""), last, "s"),
        Row(f"{name}: decisions per second", (count - left) / last, "/s"),
        Row(f"{name}: most memory of the sidecar", peak, "MiB"),
    ]


def fill(server, sandbox, count):
    """Creates rows as people would have made them, without the API."""
    person = server.person["id"]
    for first in range(0, count, ROWS_IN_A_STATEMENT):
        numbers = min(ROWS_IN_A_STATEMENT, count - first)
        server.sql(
            f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {first + numbers - 1}) "
            "INSERT INTO verifications (id, user, declared_name, policy_name, created, updated) "
            f"SELECT printf('bench%010d', i), '{person}', 'Anna Maria Eriksson', 'device', {NOW}, {NOW} FROM n"
        )
    events = list(device_events(sandbox, count))
    for first in range(0, count, EVENTS_IN_A_STATEMENT):
        rows = ",".join(f"({n},'{event}')" for n, event in enumerate(events[first : first + EVENTS_IN_A_STATEMENT], first))
        server.sql(
            "INSERT INTO device_signals (id, verification, event_id, stage, created) "
            f"SELECT printf('event%010d', column1), printf('bench%010d', column1), column2, 'start', {NOW} FROM (VALUES {rows})"
        )


def device_events(sandbox, count):
    """An event of the provider's agent for each verification, over one connection."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(sandbox.url).netloc, timeout=30)
    for number in range(count):
        wish = json.dumps({"linked_id": f"bench{number:010d}", "url": "http://127.0.0.1/verify"})
        connection.request("POST", "/sandbox/fingerprint/events", wish, {"Content-Type": "application/json"})
        yield json.loads(connection.getresponse().read())["event_id"]
    connection.close()


def instant(text):
    moment = datetime.datetime.strptime(text.rstrip("Z"), "%Y-%m-%d %H:%M:%S.%f")
    return calendar.timegm(moment.timetuple()) + moment.microsecond / 1e6


def history(bench):
    """The same passes before and after a million rows."""
    rows_in_all, rounds, count = bench.pick(1_000_000, 100_000), bench.pick(3, 2), bench.pick(200, 60)
    driver = Driver(bench.binaries)
    with (
        bench.folder() as folder,
        Pocketbase() as server,
        Sandbox(bench.binaries, folder) as sandbox,
        Sidecar(bench.binaries, folder, server, sandbox),
    ):

        def passes():
            options = ("--kind", "device", "--concurrency", 4, "--count", count)
            return [driver.against(server, sandbox, "passes", *options) for _ in range(rounds)]

        driver.against(server, sandbox, "passes", "--kind", "device", "--concurrency", 4, "--count", 20)
        young = passes()
        grow(server, rows_in_all)
        old = passes()
    bench.raw["history"] = {"before": young, "after": old}
    cost, median_time = ([[scale * value(f) for f in some] for some in (old, young)] for scale, value in ((1000, cpu), (1, p50)))
    name = f"pass with a provider, {rows_in_all:,} rows of history"
    why = "The indexes are deeper."
    return [
        compare(f"{name}: PocketBase's CPU", "ms", *cost, "without", at_most=HISTORY_AIM, why=why),
        compare(f"{name}: p50, 4 at a time", "ms", *median_time, "without", at_most=HISTORY_AIM, why=why),
    ]


def cpu(figures):
    return figures["cpu_seconds"] / figures["latency_ms"]["count"]


def p50(figures):
    return figures["latency_ms"]["p50"]


def grow(server, rows):
    """A tenth are finished verifications, the rest their journal: nine rows each."""
    cases, person = rows // 10, server.person["id"]
    for first in range(0, cases, ROWS_IN_A_STATEMENT):
        last = min(first + ROWS_IN_A_STATEMENT, cases) - 1
        numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
        server.sql(
            f"{numbers} INSERT INTO verifications (id, user, declared_name, policy, status, final, version, decided_at, created, updated) "
            f"SELECT printf('histo%010d', i), '{person}', 'Somebody Else', 'policydefault01', 'approved', TRUE, 9, {NOW}, {NOW}, {NOW} FROM n"
        )
        for seq in range(1, 10):
            server.sql(
                f"{numbers} INSERT INTO journal (id, verification, seq, event, data, by, hash, created) "
                f"SELECT printf('h{seq}jou%010d', i), printf('histo%010d', i), {seq}, 'started', '{{}}', 'history', "
                f"lower(hex(randomblob(32))), {NOW} FROM n"
            )


def sidecars(bench):
    """The same load with one sidecar and with several."""
    numbers, rounds = bench.pick([1, 2, 4, 8], [1, 2]), bench.pick(2, 1)
    count = bench.pick(128, 64)
    driver = Driver(bench.binaries)
    taken = {}
    with bench.folder() as folder, Pocketbase() as server, Sandbox(bench.binaries, folder) as sandbox:
        with contextlib.ExitStack() as running:
            started = 0
            for number in numbers:
                for started in range(started + 1, number + 1):
                    running.enter_context(Sidecar(bench.binaries, folder, server, sandbox, f"s{started}"))
                options = ("--kind", "device", "--concurrency", 16, "--count", count)
                taken[number] = [driver.against(server, sandbox, "passes", *options) for _ in range(rounds)]
    bench.raw["sidecars"] = taken
    rows = []
    for number in numbers[1:]:
        for what, unit, scale, value in (("p50", "ms", 1, p50), ("PocketBase's CPU a pass", "ms", 1000, cpu)):
            some, one = ([scale * value(figures) for figures in taken[n]] for n in (number, 1))
            rows.append(compare(f"sidecars: {number}; pass with a provider, 16 at a time: {what}", unit, some, one, "one sidecar"))
    return rows


def browsers(bench):
    """Passes while other browsers listen, compared with the floor with as many listening."""
    numbers, rounds = bench.pick([1, 100, 1000], [1, 100]), bench.pick(3, 1)
    driver = Driver(bench.binaries)
    rows = []
    for number in numbers:
        with (
            bench.folder() as folder,
            Pocketbase() as bare,
            Pocketbase() as served,
            Sandbox(bench.binaries, folder) as sandbox,
            Floor(bench.binaries, folder, bare),
            Sidecar(bench.binaries, folder, served, sandbox),
            Browsers(bench.binaries, folder, bare, number),
            Browsers(bench.binaries, folder, served, number),
        ):
            taken = {"ours": [], "floor": []}
            for round_number in range(rounds):
                for who, server in bench.turn(round_number, {"floor": bare, "ours": served}):
                    options = ("--kind", "start", "--concurrency", 4, "--count", 80 if number < 1000 else 24)
                    taken[who].append(driver.against(server, sandbox, "passes", *options))
        bench.raw[f"browsers {number}"] = taken
        times = [[p50(figures) for figures in taken[who]] for who in ("ours", "floor")]
        rows.append(compare(f"browsers looking on: {number}; pass without a provider, 4 at a time: p50", "ms", *times, "floor"))
    return rows
