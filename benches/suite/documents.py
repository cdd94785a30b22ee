"""Group 7: documents, as the whole system handles them. `cargo bench` measures them part by part."""

import concurrent.futures
import http.client
import urllib.parse
import uuid

from process import cpu_seconds, forget_peak, memory_mib
from report import Row, aimed, median
from stack import API_KEY, Driver, Pocketbase, Sandbox, Sidecar, specimen

TITLE = "7. Documents"
MIB = 1024 * 1024
# The facade takes this many at the same time, and pictures up to 5 MiB.
UPLOADS_AT_ONCE, UPLOADS, PICTURE_BYTES = 16, 48, 4_900_000
# Held once, with a little for frames and rows.
HELD_AIM = 1.5


def run(bench):
    with bench.folder() as folder, Pocketbase() as server, Sandbox(bench.binaries, folder) as sandbox:
        with Sidecar(bench.binaries, folder, server, sandbox) as sidecar:
            rows = each(bench, folder, server, sandbox, sidecar)
        # A sidecar that has not seen a picture yet.
        with Sidecar(bench.binaries, folder, server, sandbox, "two") as sidecar:
            return rows + uploads(bench, folder, server, sidecar)


def each(bench, folder, server, sandbox, sidecar):
    """What a document costs the sidecar from its record to its finding, less the same for a device signal."""
    driver, count, rounds = Driver(bench.binaries), bench.pick(40, 16), bench.pick(3, 2)
    picture = specimen(bench.binaries, folder)

    def cost(kind):
        before = cpu_seconds(sidecar.pid)
        figures = driver.against(server, sandbox, "passes", "--kind", kind, "--concurrency", 4, "--count", count, "--picture", picture)
        figures["cpu_ms"] = 1000 * (cpu_seconds(sidecar.pid) - before) / count
        return figures

    cost("document")
    documents, devices = zip(*((cost("document"), cost("device")) for _ in range(rounds)), strict=True)
    bench.raw["documents"] = {"documents": documents, "devices": devices}
    size = picture.stat().st_size
    stored = server.all("checks", "kind='document' && portrait!=''")[0]
    portrait = len(server.download("checks", stored["id"], stored["portrait"]))
    cpu = [document["cpu_ms"] - device["cpu_ms"] for document, device in zip(documents, devices, strict=True)]
    return [
        Row("the document's picture, as sent", size / 1024, "KiB"),
        Row("the portrait that is kept of it", portrait / 1024, "KiB"),
        Row("CPU of the sidecar for a document, beyond that for a device signal", median(cpu), "ms"),
        Row("document committed -> finding seen, 4 at a time, p50", median([d["latency_ms"]["p50"] for d in documents]), "ms"),
    ]


def uploads(bench, folder, server, sidecar):
    """Documents of verifications whose policy ignores them, so that only the facade's memory is measured."""
    policy = server.all("policies", "name='default'")[0]
    changed = {"id": "policydevice001", "name": "device", "required_checks": ["device"]}
    server.make("policies", {name: value for name, value in policy.items() if name != "created"} | changed)
    case = {"user": server.person["id"], "declared_name": "x", "policy_name": "device"}
    # What follows a JPEG's end is not part of the picture, but part of the file.
    picture = specimen(bench.binaries, folder, "small.jpg", "small=900").read_bytes().ljust(PICTURE_BYTES, b"\0")
    ids = [server.make("verifications", case)["id"] for _ in range(UPLOADS)]

    def upload(verification):
        status, answer = post(sidecar.url, verification, picture)
        if status not in (201, 202):
            raise SystemExit(f"an upload was answered {status}: {answer[:300]}")

    upload(ids[0])
    forget_peak(sidecar.pid)
    before = memory_mib(sidecar.pid)
    with concurrent.futures.ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        list(pool.map(upload, ids[1:]))
    peak = memory_mib(sidecar.pid, "VmHWM")
    at_once = UPLOADS_AT_ONCE * PICTURE_BYTES / MIB
    held = (peak - before) / at_once
    bench.raw["uploads"] = {"before_mib": before, "peak_mib": peak, "at_once_mib": at_once}
    what = f"memory gained by {UPLOADS_AT_ONCE} uploads at once of {PICTURE_BYTES / 1e6:.1f} MB each, through the facade"
    row = Row(what, peak - before, "MiB", at_once, "their bytes", held)
    return [aimed(row, held, "x", HELD_AIM, None, "The allocator keeps freed pieces, and each connection has 64 KiB to read through.")]


def post(url, verification, picture):
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (("verification_id", verification), ("type", "passport"))
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="front"; filename="front.jpg"\r\n'.encode())
    parts += [b"Content-Type: image/jpeg\r\n\r\n", picture, f"\r\n--{boundary}--\r\n".encode()]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=120)
    headers = {"X-API-Key": API_KEY, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection.request("POST", "/api/v1/document", b"".join(parts), headers)
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result
