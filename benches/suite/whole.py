"""Group 2: whole verifications per second, and the cost of each to PocketBase."""

import collections
import json
import os
import pathlib
import re
import time
import urllib.parse

import fixtures
from process import cpu_seconds
from report import Row, compare, guarded, median, single
from stack import Driver, Pocketbase, Sandbox, Sidecar, specimen

TITLE = "2. Whole verifications: device, document, liveness and face comparison, to the decision"
CPU_AIM_MS, WRITES_AIM, REQUESTS_AIM, SHARE_AIM = 10, 6, 5, 0.9
# PocketBase writes its log in the background, usually every three seconds, in parts. It is complete when it contains everything
# that the people sent and nothing was added for this long.
LOG_SECONDS, LOG_PATIENCE_SECONDS = 4, 60
SENT = ("verifications", "device_signals", "documents", "liveness_sessions", "actions")
HEARTBEAT = "heartbeats"


def run(bench):
    count, concurrency = bench.pick(96, 48, 12), bench.pick(16, 16, 4)
    rounds = bench.pick(3, 2, 1)
    counted = bench.pick(24, 12, 8)
    driver = Driver(bench.binaries)
    with (
        bench.folder() as folder,
        Pocketbase() as bare,
        Pocketbase() as served,
        Sandbox(bench.binaries, folder) as sandbox,
    ):
        picture = specimen(bench.binaries, folder)

        def walk(server, number, *options):
            options = ("--picture", picture, "--count", number, "--concurrency", concurrency, *bench.patience, *options)
            return driver.against(server, sandbox, "walk", *options)

        with Sidecar(bench.binaries, folder, served, sandbox) as sidecar:
            script = folder_script(folder, served, walk(served, 1))
            alone = ("--alone", script, "--service-token", bare.service_token)
            walk(bare, 4, *alone)
            requests, writes = count_requests(served, lambda: walk(served, counted), counted)
            ours, floor, sidecar_cpu, sandbox_cpu = [], [], [], []
            for number in range(rounds):
                for who, server in bench.turn(number, {"floor": bare, "ours": served}):
                    if who == "ours":
                        before = [cpu_seconds(process.pid) for process in (sidecar, sandbox)]
                        ours.append(walk(server, count))
                        after = [cpu_seconds(process.pid) for process in (sidecar, sandbox)]
                        spent = [1000 * (b - a) / count for a, b in zip(before, after, strict=True)]
                        sidecar_cpu.append(spent[0])
                        sandbox_cpu.append(spent[1])
                    else:
                        floor.append(walk(server, count, *alone))
        files = cost_of_files(bench, bare, picture, served)
    bench.raw["whole"] = {"ours": ours, "alone": floor, "requests": requests, "writes": writes, "file_cpu_ms": files}
    return rows(concurrency, ours, floor, sidecar_cpu, sandbox_cpu, requests, writes, files)


def rows(concurrency, ours, floor, sidecar_cpu, sandbox_cpu, requests, writes, files):
    per_second = [[done(figures) / figures["seconds"] for figures in some] for some in (ours, floor)]
    cpu = [[1000 * figures["cpu_seconds"] / done(figures) for figures in some] for some in (ours, floor)]
    approved = sum(figures["ended"].get("approved", 0) for figures in ours)
    of_all = sum(done(figures) for figures in ours)
    without_files = [value - files for value in cpu[0]]
    kinds = ", ".join(f"{number:.1f} {kind}" for kind, number in sorted(requests.items()))
    total = sum(requests.values())
    table = [
        guarded(Row("verifications that ended approved, of all", 100 * approved / of_all, "%"), at_least=100),
        compare(
            f"verifications per second, {concurrency} at a time",
            "/s",
            *per_second,
            "PocketBase alone, same records",
            at_least=SHARE_AIM,
            why=f"Each took {median(cpu[0]):.0f} ms of CPU of PocketBase, {median(sidecar_cpu):.0f} of the sidecar and {median(sandbox_cpu):.0f} of the"
            f" sandbox, on {os.cpu_count()} cores; alone PocketBase took {median(cpu[1]):.0f} ms and shared the cores with the driver only.",
        ),
        guarded(compare("PocketBase's CPU each", "ms", *cpu, "alone, same records"), at_most=6),
        single(
            "PocketBase's CPU each, without the bytes of files",
            "ms",
            without_files,
            at_most=CPU_AIM_MS,
            why=f"The person's own records and the least a service must write take {median(cpu[1]) - files:.0f} ms of it already; the rest is what is read"
            " and the writes below.",
        ),
        Row("the person's share of that, and the least a service must write", median(cpu[1]) - files, "ms"),
        guarded(
            single(
                f"requests of the service each ({kinds})",
                "",
                [total],
                at_most=REQUESTS_AIM,
                why="Each step is claimed and written by a batch of its own; pictures are fetched by requests of their own.",
            ),
            at_most=40,
        ),
        single(
            f"writes of the service each ({', '.join(f'{n:.1f} {c}' for c, n in sorted(writes.items()))})",
            "",
            [sum(writes.values())],
            at_most=WRITES_AIM,
            why="The journal names each step and each claim, and every batch brings the summary up to date.",
        ),
        Row("CPU of the sidecar each, pictures included", median(sidecar_cpu), "ms"),
    ]
    for name, field in [
        ("challenge asked for -> open", "opened_ms"),
        ("challenge finished -> decision", "decided_ms"),
        ("first record -> decision", "whole_ms"),
    ]:
        for percentile in ("p50", "p99"):
            table.append(Row(f"{name}, {percentile}", median([figures[field][percentile] for figures in ours]), "ms"))
    return table


def done(figures):
    return figures["whole_ms"]["count"] or 1


def count_requests(server, walks, number):
    """Requests and writes of the service for each verification: PocketBase's own log, and its rows."""
    logs = {"minLevel": 0, "logAuthId": True, "maxDays": 1}
    settings = lambda values: server.call("PATCH", "/api/settings", {"logs": values}, server.superuser)  # noqa: E731
    # One row each time a verification is written again, which only the service does.
    server.sql("CREATE TABLE bench_summaries (id TEXT)")
    server.sql(
        "CREATE TRIGGER bench_summary AFTER UPDATE ON verifications BEGIN INSERT INTO bench_summaries VALUES (NEW.id); END"
    )
    rows_before = service_rows(server)
    settings(logs)
    began = time.time()
    walks()
    seen = requests_of_service(complete_log(server, began, number))
    settings({"minLevel": 4, "logAuthId": False, "maxDays": 3})
    rows_after = service_rows(server)
    for kind, name in [("TRIGGER", "bench_summary"), ("TABLE", "bench_summaries")]:
        server.sql(f"DROP {kind} {name}")
    requests = {kind: times / number for kind, times in seen.items()}
    writes = {kind: (rows_after[kind] - rows_before[kind]) / number for kind in rows_after}
    return requests, writes


def service_rows(server):
    """What the service wrote so far. A challenge is patched when it is opened and again when it ends."""
    created = {name: server.count(name) for name in ("journal", "checks", "webhook_deliveries")}
    patched = server.count("liveness_sessions", "session_id!=''") + server.count("liveness_sessions", "status!='' && status!='open'")
    (summaries,) = server.row("SELECT COUNT(*) FROM bench_summaries")
    return created | {"sessions": patched, "summaries": int(summaries)}


def complete_log(server, began, number):
    """What PocketBase logged since `began`, once all of it is there."""
    deadline = time.monotonic() + LOG_PATIENCE_SECONDS
    entries = []
    while time.monotonic() < deadline:
        time.sleep(LOG_SECONDS)
        before, entries = len(entries), requests_logged(server, began)
        sent = [sum(e["method"] == "POST" and e["url"].startswith(f"/api/collections/{name}/records") for e in entries) for name in SENT]
        if sent == [number] * len(SENT) and not any(is_counted(entry) for entry in entries[before:]):
            return entries
    raise SystemExit(f"PocketBase's log stayed incomplete: {dict(zip(SENT, sent, strict=True))} of {number} each")


def requests_logged(server, began):
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(began))
    entries, page = [], 1
    while True:
        query = f"page={page}&perPage=500&skipTotal=1&sort=@rowid&filter=" + urllib.parse.quote(f"created>='{since}'")
        status, answer = server.call("GET", f"/api/logs?{query}", token=server.superuser)
        if status != 200:
            raise SystemExit(f"the log could not be read: {status} {answer}")
        entries += [entry["data"] for entry in answer["items"] if entry["data"].get("type") == "request"]
        if len(answer["items"]) < 500:
            return entries
        page += 1


def is_counted(entry):
    """Whether a request is one of the service, for a verification."""
    # Files are requested with a token in the address, which the log counts as a guest.
    of_service = entry.get("auth") == "services" or entry["url"].startswith("/api/files/")
    return of_service and kind_of(entry["method"], entry["url"]) is not None


def requests_of_service(entries):
    """How often the service requested what."""
    return collections.Counter(kind_of(entry["method"], entry["url"]) for entry in entries if is_counted(entry))


def kind_of(method, url):
    """A name for a request; none for what the service does without any verification."""
    if HEARTBEAT in url or "/api/realtime" in url or "auth-" in url or "/api/health" in url:
        return None
    if "/api/batch" in url:
        return "batch"
    if "/api/files/" in url:
        return "token" if method == "POST" else "file"
    collection = re.search(r"/api/collections/([a-z_]+)/", url)
    return f"{'read' if method == 'GET' else 'write'} {collection.group(1) if collection else 'other'}"


def folder_script(folder, server, walked):
    """What the service wrote for the only verification, as transactions that follow the person's five steps."""
    if walked["failed"]:
        raise SystemExit(f"the first verification came to nothing: {walked['complaint']}")
    record = server.all("verifications", "final=true")[0]
    of_it = f"verification='{record['id']}'"
    session = server.all("liveness_sessions", of_it)[0]
    action = server.all("actions", of_it)[0]
    journal = server.all("journal", of_it, "seq")
    checks = {check["kind"]: check for check in server.all("checks", of_it)}
    names = {record["id"]: "{verification}", session["id"]: "{session}", action["id"]: "{action}"}

    def item(method, collection, row, fields, files=(), target=""):
        body = json.dumps({field: row[field] for field in fields})
        for known, name in names.items():
            body = body.replace(known, name)
        saved = {}
        for field in files:
            if row.get(field):
                saved[field] = str(folder_file(folder, server, collection, row, field))
        return {"method": method, "collection": collection, "body": json.loads(body), "files": saved, "id": target}

    def check(kind):
        row = checks.pop(kind)
        fields = ["verification", "kind", "attempt", "outcome", "reasons", "scores", "extracted", "evidence", "provider", "usage"]
        return item("POST", "checks", row, [*fields, "duration_ms"], ("portrait", "reference_image"))

    def summary(**changes):
        fields = ["policy", "status", "final", "version", "decision_source", "reasons", "next", "results", "attempts_used"]
        fields += ["attempts_max", "expires_at", "decided_at", "verified_until"]
        return item("PATCH", "verifications", record | changes, fields, target="{verification}")

    open_still = {"status": "processing", "final": False, "decision_source": "", "decided_at": "", "verified_until": ""}
    rows = ["verification", "seq", "event", "data", "by", "previous_hash", "hash", "action"]
    journal = [item("POST", "journal", row, rows) for row in journal]
    # The journal's rows in order, shared out over the steps. The last step has the most rows. It begins with the row that names the
    # person's action: no row may name the action before it exists.
    finished = next(at for at, row in enumerate(journal) if row["body"]["action"])
    cuts = [*(min(cut, finished) for cut in (1, 2, 3)), finished, len(journal)]
    parts = [journal[a:b] for a, b in zip([0, *cuts], cuts)]
    opened = item("PATCH", "liveness_sessions", session | {"status": "open", "session_id": "{random}"}, SESSION, target="{session}")
    closed = item("PATCH", "liveness_sessions", session, ["status"], target="{session}")
    steps = [
        [*parts[0], summary(**open_still)],
        [*parts[1], check("device"), summary(**open_still)],
        [*parts[2], check("document"), summary(**open_still)],
        [*parts[3], opened, summary(**open_still)],
        [*parts[4], check("liveness"), check("face_match"), check("decision"), closed, summary()],
    ]
    path = folder_path(folder, "script.json")
    path.write_text(json.dumps({"steps": steps}))
    return path


SESSION = ["session_id", "region", "challenge", "status", "expires_at"]


def folder_path(folder, name):
    return pathlib.Path(folder) / name


def folder_file(folder, server, collection, row, field):
    path = folder_path(folder, f"{row['id']}-{field}")
    path.write_bytes(server.download(collection, row["id"], row[field]))
    return path


def cost_of_files(bench, server, picture, served):
    """PocketBase's CPU for the bytes of the files of one verification, in ms: the document stored and fetched, the two small
    pictures of the findings stored and fetched, each less the same with a tiny picture."""
    times = bench.pick(40, 20, 10)
    case = server.make("verifications", {"user": server.person["id"], "declared_name": "x"})
    sizes = {"document": picture.read_bytes()}
    for row in served.all("checks", "portrait!='' || reference_image!=''")[:8]:
        for field in ("portrait", "reference_image"):
            if row[field]:
                sizes[field] = served.download("checks", row["id"], row[field])
    tiny = cost_of_file(server, case, fixtures.png(), times)
    return sum(cost_of_file(server, case, content, times) - tiny for content in sizes.values())


def cost_of_file(server, case, content, times):
    before = cpu_seconds(server.pid)
    for _ in range(times):
        body = {"verification": case["id"], "type": "passport"}
        record = server.make("documents", body, server.service_token, {"front": ("front.jpg", content)})
        server.download("documents", record["id"], record["front"])
    return 1000 * (cpu_seconds(server.pid) - before) / times
