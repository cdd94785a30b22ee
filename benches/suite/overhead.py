"""Group 1: the overhead per pass, as a multiple of PocketBase's own floor."""

from report import compare, guarded, paired
from stack import Driver, Floor, Pocketbase, Sandbox, Sidecar

TITLE = "1. Overhead per pass: record committed -> result seen by a subscriber"
KINDS = {
    "start": "pass without a provider (a verification becomes awaiting_input)",
    "device": "pass with a provider (a device signal is judged)",
}
WHY = {
    "start": "A pass knows the case before it writes; the floor writes blindly.",
    "device": "A pass with a provider is claimed before and written after the call: two transactions where the floor has one.",
}
# More than twice the values when this was written (1.7 and 2.4): fails if a pass reads or writes much more than today.
CPU_GUARD = {"start": 4, "device": 6}
P50_AIM, P99_AIM = 1.3, 2.0


def run(bench):
    counts = bench.pick({1: 100, 16: 480, 64: 640}, {1: 40, 16: 160}, {1: 20, 16: 96})
    rounds = bench.pick(3, 3, 2)
    driver = Driver(bench.binaries)
    with (
        bench.folder() as folder,
        Pocketbase() as bare,
        Pocketbase() as served,
        Sandbox(bench.binaries, folder) as sandbox,
        Floor(bench.binaries, folder, bare),
        Sidecar(bench.binaries, folder, served, sandbox),
    ):

        def passes(server, kind, concurrency, count):
            options = ("--kind", kind, "--concurrency", concurrency, "--count", count)
            return driver.against(server, sandbox, "passes", *options)

        for kind in KINDS:  # connections, caches and prepared statements
            for server in (bare, served):
                passes(server, kind, 4, 20)
        taken = {}
        for number in range(rounds):
            for kind in KINDS:
                for concurrency, count in counts.items():
                    for who, server in bench.turn(number, {"floor": bare, "ours": served}):
                        figures = passes(server, kind, concurrency, count)
                        taken.setdefault((kind, concurrency, who), []).append(figures)
    bench.raw["overhead"] = {"/".join(map(str, key)): value for key, value in taken.items()}
    rows = []
    for kind, name in KINDS.items():
        for concurrency in counts:
            cost = [
                [1000 * figures["cpu_seconds"] / figures["latency_ms"]["count"] for figures in taken[kind, concurrency, who]]
                for who in ("ours", "floor")
            ]
            why = f"{WHY[kind]} PocketBase's CPU for it: {paired(*cost):.1f} x."
            for percentile, aim in (("p50", P50_AIM), ("p95", None), ("p99", P99_AIM)):
                ours, floor = (
                    [figures["latency_ms"][percentile] for figures in taken[kind, concurrency, who]]
                    for who in ("ours", "floor")
                )
                what = f"{name}, {concurrency} at a time, {percentile}"
                rows.append(compare(what, "ms", ours, floor, "floor", at_most=aim, why=why))
            row = compare(f"{name}, {concurrency} at a time, PocketBase's CPU a pass", "ms", *cost, "floor")
            rows.append(guarded(row, at_most=CPU_GUARD[kind]))
    return rows
