"""Group 5: size. How fast it starts, how much memory it holds, how large it is."""

import gzip
import pathlib
import re
import subprocess
import tempfile
import time

import machine
from process import Process, forget_peak, memory_mib, threads
from report import Row, aimed, median, single
from stack import ROOT, Pocketbase, Sandbox, Sidecar, specimen

TITLE = "5. Size"
START_AIM_MS, IDLE_AIM_MIB, FLIGHT_AIM_MIB, IMAGE_AIM_MIB = 150, 20, 200, 25
MIB = 1024 * 1024
# The providers answer so late that everything is still in flight when memory is read.
PROVIDER_SECONDS = 120
# Memory depends on how many calls are allowed at once: here as many as by default.
DEFAULTS = {"AWS_CALLS_AT_ONCE": "32", "OPENAI_CALLS_AT_ONCE": "16", "FINGERPRINT_CALLS_AT_ONCE": "16"}
# What the image's base, distroless/cc-debian12, is made of, besides a few small files.
BASE_PACKAGES = ["libc6", "libgcc-s1", "libgomp1", "libstdc++6", "libssl3", "tzdata", "ca-certificates", "netbase"]


def run(bench):
    with bench.folder() as folder, Pocketbase() as server, Sandbox(bench.binaries, folder) as sandbox:
        rows = start(bench, folder, server, sandbox)
        rows += in_flight(bench, folder, server, sandbox)
    rows += on_disk(bench)
    if bench.build_time:
        rows.append(Row("clean release build", clean_build(), "s"))
    return rows


def start(bench, folder, server, sandbox):
    listening, healthy, idle, of_file = [], [], [], []
    for _ in range(bench.pick(7, 3)):
        sidecar = Sidecar(bench.binaries, folder, server, sandbox).start()
        try:
            sidecar.listening()
            listening.append(1000 * (time.monotonic() - sidecar.started))
            sidecar.wait_for("health", sidecar.healthy)
            healthy.append(1000 * (time.monotonic() - sidecar.started))
            time.sleep(1)
            idle.append(memory_mib(sidecar.pid))
            of_file.append(memory_mib(sidecar.pid, "RssFile"))
            running = threads(sidecar.pid)
        finally:
            sidecar.stop()
    bench.raw["start"] = {"listening_ms": listening, "healthy_ms": healthy, "idle_mib": idle}
    return [
        single("cold start to serving, PocketBase up", "ms", listening, at_most=START_AIM_MS, why="Login, schema check and policy are asked for first."),
        Row("cold start to healthy: a heartbeat came back over realtime", sorted(healthy)[len(healthy) // 2], "ms"),
        single(f"memory when idle, {running} threads", "MiB", idle, at_most=IDLE_AIM_MIB, why=f"{median(of_file):.1f} MiB of it are pages of the binary."),
    ]


class Crowd(Process):
    """Persons who have sent everything they can, and wait."""

    def __init__(self, binaries, folder, server, sandbox, picture, count):
        place = ["--pocketbase", server.url, "--sandbox", sandbox.url, "--token", server.person_token]
        command = [binaries.driver, "walk", *place, "--user", server.person["id"], "--picture", picture]
        super().__init__("crowd", [*command, "--count", count, "--concurrency", count, "--patience-seconds", 600], folder)


def in_flight(bench, folder, server, sandbox):
    count = bench.pick(1000, 200)
    picture = specimen(bench.binaries, folder)
    rules = [{"provider": name, "fault": "delay", "ms": 1000 * PROVIDER_SECONDS, "times": 0} for name in ("openai", "fingerprint")]
    sandbox.control("POST", "faults", rules)
    with Sidecar(bench.binaries, folder, server, sandbox, **DEFAULTS) as sidecar:
        forget_peak(sidecar.pid)
        with Crowd(bench.binaries, folder, server, sandbox, picture, count):
            deadline = time.monotonic() + bench.pick(150, 60)
            while server.count("documents") < count and time.monotonic() < deadline:
                time.sleep(1)
            time.sleep(5)  # for those that came last to be looked at
            here = server.count("documents")
            open_still = server.count("verifications", "final=false")
            peak, now = memory_mib(sidecar.pid, "VmHWM"), memory_mib(sidecar.pid)
    sandbox.control("DELETE", "faults")
    bench.raw["in_flight"] = {"open": open_still, "documents": here, "peak_mib": peak, "mib": now}
    row = Row(f"most memory with {min(here, open_still)} verifications in flight, documents of {picture.stat().st_size // 1024} KiB included", peak, "MiB")
    return [
        aimed(row, peak, "MiB", FLIGHT_AIM_MIB, None, "Pictures that are being decoded or read by the model are held."),
        Row("memory at that moment", now, "MiB"),
    ]


def on_disk(bench):
    binary = pathlib.Path(bench.binaries.sidecar).read_bytes()
    size = len(binary) / MIB
    rows = [single(f"binary, {bench.binaries.profile}", "MiB", [size], at_most=IMAGE_AIM_MIB, why="What it is made of was not taken apart.")]
    base = debian_sizes()
    if base:
        packed = len(gzip.compress(binary, 6)) / MIB
        why = "By arithmetic: the binary and the base's packages as Debian ships them, documentation and locales included."
        rows.append(single("image as pulled, at most (binary and base compressed)", "MiB", [packed + base], at_most=IMAGE_AIM_MIB, why=why))
    return rows


def debian_sizes():
    """MiB of the base's packages, compressed as Debian ships them; 0 where that cannot be asked."""
    try:
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", *BASE_PACKAGES], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    sizes = [int(size) for size in re.findall(r"^Size: (\d+)", shown.stdout, re.MULTILINE)]
    return sum(sizes) / MIB if len(sizes) == len(BASE_PACKAGES) else 0


def clean_build():
    """Seconds for a clean build of the production binary, with the crates already fetched."""
    with tempfile.TemporaryDirectory(prefix="identivia-build-", dir=ROOT / "target") as target:
        began = time.monotonic()
        command = ["cargo", "build", "--quiet", "--release", "--no-default-features", "--bin", "identivia", "--target-dir", target]
        machine.run(command)
        return time.monotonic() - began
