"""Processes of a run: started with a log of their own, measured through /proc, ended by their id."""

import os
import pathlib
import resource
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 60
STOP_SECONDS = 30
KIB = 1024


class Process:
    """A child process. `with Process(...)` ends it at the end, whatever happens."""

    def __init__(self, name, command, folder, env=None, cwd=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = pathlib.Path(folder) / f"{name}.log"
        self.env = env
        self.cwd = cwd
        self.child = None

    def start(self):
        """Starts it. Its output is appended to its log; `said` finds the output of this process."""
        log = open(self.log_path, "ab")
        self.said_before = self.log_path.stat().st_size
        self.started = time.monotonic()
        self.child = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.env, cwd=self.cwd
        )
        log.close()
        return self

    @property
    def pid(self):
        return self.child.pid

    def said(self):
        with open(self.log_path, "rb") as log:
            log.seek(self.said_before)
            return log.read().decode(errors="replace")

    def wait_for(self, what, found):
        """The value of `found`, once there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            result = found()
            if result:
                return result
            if self.child.poll() is not None:
                break
            time.sleep(0.002)
        raise SystemExit(f"{self.name}: {what} did not come about:\n{self.said()[-4000:]}")

    def stop(self, with_signal=signal.SIGTERM):
        if self.child is None or self.child.poll() is not None:
            return
        self.child.send_signal(with_signal)
        try:
            self.child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def kill(self):
        self.stop(signal.SIGKILL)

    def __enter__(self):
        self.start()
        try:
            self.ready()
        except BaseException:
            self.kill()
            raise
        return self

    def ready(self):
        """Waits until it serves."""

    def __exit__(self, *_):
        self.stop()


def cpu_seconds(pid):
    """CPU time that a process has used so far, its ended children left out."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mib(pid, name="VmRSS"):
    """Resident memory; `VmHWM` is the most it ever was since `forget_peak`."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / KIB
    return 0.0


def forget_peak(pid):
    """Resets `VmHWM`."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def allow_many_files():
    """Thousands of streams need as many descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
