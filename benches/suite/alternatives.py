"""Group 4: the same job as a PocketBase hook, and as a Node service with the SDK's subscriptions."""

import contextlib

import losses
import machine
from process import Process, cpu_seconds, forget_peak, memory_mib
from report import Row, aimed, compare, guarded
from stack import SERVICE, Driver, Pocketbase, Sandbox, Sidecar, environment_of_child, provider_environment, specimen

TITLE = "4. The same job as a pb_hooks script and as a Node service with the SDK's subscriptions"
NAMES = {"ours": "ours", "hooks": "pb_hooks", "node": "Node, SDKs"}
BESIDE = ["hooks", "node"]
SOME_AT_A_TIME = 16
WHO_DIES = {"ours": "the sidecar", "hooks": "PocketBase with its hooks", "node": "the Node service"}


class Subscriber(Process):
    """The service as one would write it with Node and the SDKs of PocketBase and the providers."""

    def __init__(self, folder, server, sandbox):
        email, password = SERVICE
        env = environment_of_child(POCKETBASE_URL=server.url, PB_USER_EMAIL=email, PB_USER_PASSWORD=password, NODE_ENV="production")
        env |= provider_environment(sandbox.url)
        super().__init__("subscriber", ["node", machine.node_peers() / "subscriber.mjs"], folder, env)

    def ready(self):
        self.wait_for("its word", lambda: "ready" in self.said())


def run(bench):
    if bench.form == "ci":
        return still_work(bench)
    with bench.folder() as folder, Sandbox(bench.binaries, folder) as sandbox:
        taken, memory = speed(bench, folder, sandbox)
        lost = {who: lose(bench, who, folder, sandbox) for who in NAMES}
    bench.raw["alternatives"] = {"speed": taken, "memory_mib": memory, "lost": lost}
    return speed_rows(taken) + memory_rows(memory) + loss_rows(lost)


def still_work(bench):
    """A peer that no longer does the job would be fast, and lose nothing."""
    rows = []
    with bench.folder() as folder, Sandbox(bench.binaries, folder) as sandbox:
        picture = specimen(bench.binaries, folder)
        for who in BESIDE:
            with stack(bench, who, folder, sandbox) as (server, _):
                options = ("--picture", picture, "--count", 2, "--concurrency", 2, *bench.patience)
                rows.append(approved({f"{who}/2": [Driver(bench.binaries).against(server, sandbox, "walk", *options)]}, who))
    return rows


@contextlib.contextmanager
def stack(bench, who, folder, sandbox):
    """A PocketBase and the service next to it; with hooks it does all itself."""
    if who == "hooks":
        with Pocketbase(machine.PEERS / "pb_hooks", provider_environment(sandbox.url)) as server:
            yield server, None
    else:
        with Pocketbase() as server:
            with Sidecar(bench.binaries, folder, server, sandbox) if who == "ours" else Subscriber(folder, server, sandbox) as service:
                yield server, service


def speed(bench, folder, sandbox):
    """Whole verifications through each, one at a time and several at once."""
    counts, rounds = bench.pick({1: 20, SOME_AT_A_TIME: 64}, {1: 8, SOME_AT_A_TIME: 32}), bench.pick(3, 2)
    driver, picture = Driver(bench.binaries), specimen(bench.binaries, folder)
    with contextlib.ExitStack() as running:
        rivals = {who: running.enter_context(stack(bench, who, folder, sandbox)) for who in NAMES}

        def walk(server, service, concurrency, count):
            options = ("--picture", picture, "--count", count, "--concurrency", concurrency)
            before = cpu_seconds(service.pid) if service else 0
            figures = driver.against(server, sandbox, "walk", *options)
            figures["service_cpu_seconds"] = cpu_seconds(service.pid) - before if service else 0
            return figures

        for server, service in rivals.values():
            walk(server, service, 4, 8)
            for process in filter(None, (server, service)):
                forget_peak(process.pid)
        taken = {f"{who}/{concurrency}": [] for who in rivals for concurrency in counts}
        for number in range(rounds):
            for concurrency, count in counts.items():
                for who, (server, service) in bench.turn(number, rivals):
                    taken[f"{who}/{concurrency}"].append(walk(server, service, concurrency, count))
        memory = {who: [memory_mib(process.pid, "VmHWM") for process in filter(None, pair)] for who, pair in rivals.items()}
    return taken, memory


def lose(bench, who, folder, sandbox):
    picture = specimen(bench.binaries, folder).read_bytes()
    with stack(bench, who, folder, sandbox) as (server, service):
        return losses.count(server, sandbox, service or server, picture)


def speed_rows(taken):
    def pairs(what, unit, concurrency, value):
        """Ours compared with each of the others."""
        values = {who: [value(figures) for figures in taken[f"{who}/{concurrency}"]] for who in NAMES}
        what = f"{what}, {concurrency} at a time"
        return [compare(what, unit, values["ours"], values[who], NAMES[who]) for who in BESIDE]

    return [
        *(approved(taken, who) for who in NAMES),
        *pairs("first record -> decision, p50", "ms", 1, lambda figures: figures["whole_ms"]["p50"]),
        *pairs("first record -> decision, p95", "ms", 1, lambda figures: figures["whole_ms"]["p95"]),
        *pairs("first record -> decision, p50", "ms", SOME_AT_A_TIME, lambda figures: figures["whole_ms"]["p50"]),
        *pairs("first record -> decision, p95", "ms", SOME_AT_A_TIME, lambda figures: figures["whole_ms"]["p95"]),
        *pairs("verifications per second", "/s", SOME_AT_A_TIME, lambda figures: figures["whole_ms"]["count"] / figures["seconds"]),
        *pairs("CPU of PocketBase and service each", "ms", SOME_AT_A_TIME, cpu_ms),
    ]


def cpu_ms(figures):
    return 1000 * (figures["cpu_seconds"] + figures["service_cpu_seconds"]) / figures["whole_ms"]["count"]


def approved(taken, who):
    """A peer that does not do the job would be fast."""
    ended = [figures["ended"] for name, some in taken.items() if name.startswith(f"{who}/") for figures in some]
    failed = sum(figures["failed"] for name, some in taken.items() if name.startswith(f"{who}/") for figures in some)
    of_all = sum(sum(each.values()) for each in ended) + failed
    share = 100 * sum(each.get("approved", 0) for each in ended) / of_all
    return guarded(Row(f"verifications that ended approved, of all: {NAMES[who]}", share, "%"), at_least=100)


def memory_rows(memory):
    ours = sum(memory["ours"])
    beside = {who: sum(memory[who]) for who in BESIDE}
    return [
        *(Row("most memory, PocketBase included", ours, "MiB", some, NAMES[who], ours / some) for who, some in beside.items()),
        *(Row(f"of that beside PocketBase: {NAMES[who]}", memory[who][1], "MiB") for who in ("ours", "node")),
    ]


def loss_rows(lost):
    walkers = lost["ours"]["walkers"]
    rows = []
    for who, figures in lost.items():
        what = f"{WHO_DIES[who]} killed and started again, {walkers} under way: never decided"
        row = Row(what, figures["undecided"], "")
        if who == "ours":
            row = guarded(aimed(row, row.ours, "", 0, None, "Whatever is missing here was forgotten."), at_most=0)
        rows.append(row)
    for who, figures in lost.items():
        least = ", at least" if figures["undecided"] else ""
        rows.append(Row(f"{WHO_DIES[who]} killed: paid calls made again{least}", figures["calls_again"], ""))
    last = lost["ours"]["last_decision_s"]
    return [*rows, Row("the sidecar killed: until the last of them was decided", last or 0, "s")]
