"""Every role against every collection: list, view, create, update, delete, realtime, files.

The tables name the roles that succeed with alice's record; every other role must not.
"""

import time

import fixtures
from pocketbase import records
from realtime import Subscriber
from world import ROLES

OWN = {"alice", "reviewer", "admin", "service", "superuser"}
FINDINGS = OWN - {"alice"}
INTERNAL = {"service", "superuser"}
REVIEW = {"reviewer", "admin", "superuser"}
ROOT = {"superuser"}
NOBODY = set()

#  collection              readers                        creators                        updaters
TABLE = {
    "users":                 ({"alice", *INTERNAL},         INTERNAL,                       {"alice", *INTERNAL}),
    "reviewers":             (REVIEW,                       ROOT,                           ROOT),
    "services":              (ROOT,                         ROOT,                           ROOT),
    "policies":              (FINDINGS,                     ROOT,                           ROOT),
    "verifications":         (OWN,                          {"alice", *INTERNAL},           INTERNAL),
    "documents":             (OWN,                          {"alice", *INTERNAL},           ROOT),
    "liveness_sessions":     (OWN,                          {"alice", *INTERNAL},           INTERNAL),
    "device_signals":        (OWN,                          {"alice", *INTERNAL},           ROOT),
    "actions":               (OWN,                          OWN,                            ROOT),
    "checks":                (FINDINGS,                     INTERNAL,                       ROOT),
    "document_hashes":       (FINDINGS,                     INTERNAL,                       ROOT),
    "known_documents":       (FINDINGS,                     ROOT,                           ROOT),
    "journal":               (OWN,                          INTERNAL,                       ROOT),
    "heartbeats":            (INTERNAL,                     INTERNAL,                       INTERNAL),
    "webhook_endpoints":     (INTERNAL,                     ROOT,                           ROOT),
    "webhook_deliveries":    (INTERNAL,                     INTERNAL,                       INTERNAL),
    "live_policies":         (FINDINGS,                     NOBODY,                         NOBODY),
    "review_queue":          (REVIEW,                       NOBODY,                         NOBODY),
    "verification_overview": (REVIEW,                       NOBODY,                         NOBODY),
    "daily_figures":         (REVIEW,                       NOBODY,                         NOBODY),
    "cases":                 (INTERNAL,                     NOBODY,                         NOBODY),
}  # fmt: skip
VIEWS = {"live_policies", "review_queue", "verification_overview", "daily_figures", "cases"}

# A change that the updaters may make.
CHANGE = {
    "users": {"name": "Alice E."},
    "reviewers": {"name": "R."},
    "services": {"name": "s."},
    "policies": {"description": "d"},
    "verifications": {"attempts_used": 1},
    "documents": {"country": "ESP"},
    "liveness_sessions": {"status": "completed"},
    "device_signals": {"stage": "document"},
    "actions": {"reason": "changed"},
    "checks": {"outcome": "passed"},
    "document_hashes": {"number_first": False},
    "known_documents": {"listing": "blocklisted"},
    "journal": {"data": {"changed": True}},
    "heartbeats": {"beat": 2},
    "webhook_endpoints": {"enabled": False},
    "webhook_deliveries": {"attempts": 1},
}

FILES = {"documents": ["front", "back"], "checks": ["portrait"], "users": ["avatar"]}

DELIVERY_SECONDS = 10
QUIET_SECONDS = 1.0


def run(world):
    every_collection_is_listed(world)
    for collection, (readers, creators, updaters) in TABLE.items():
        for role in ROLES:
            listing(world, collection, role, role in readers)
            viewing(world, collection, role, role in readers)
            creating(world, collection, role, role in creators)
            updating(world, collection, role, role in updaters)
            deleting(world, collection, role, role == "superuser" and collection not in VIEWS)
    files(world)
    realtime(world)


def every_collection_is_listed(world):
    _, answer = world.call("superuser", "GET", "/api/collections?perPage=500")
    found = {c["name"] for c in answer["items"] if not c["name"].startswith("_")}
    world.report.check(found == set(TABLE), "each collection has a line in the matrix", f"differs in {found ^ set(TABLE)}")


def says(role, can, verb, collection):
    return f"{role} {'can' if can else 'cannot'} {verb} {collection}"


def listing(world, collection, role, can):
    wanted = world.alice_has[collection]["id"]
    status, answer = world.call(role, "GET", records(collection) + "?perPage=500")
    seen = status == 200 and wanted in [item["id"] for item in answer["items"]]
    world.report.check(seen == can, says(role, can, "list", collection), f"answered {status}")


def viewing(world, collection, role, can):
    status, _ = world.call(role, "GET", records(collection, world.alice_has[collection]["id"]))
    world.report.check((status == 200) == can, says(role, can, "view", collection), f"answered {status}")


def creating(world, collection, role, can):
    body, files_ = new(world, collection, role)
    status, answer = world.create(role, collection, body, files_)
    world.report.check((status == 200) == can, says(role, can, "create", collection), f"answered {status}: {answer}")


def new(world, collection, role):
    """A creation that is valid for the roles that may create."""
    n = fixtures.number()
    verification = {"verification": world.alice_has["verifications"]["id"]}
    if collection == "actions" and role in ("reviewer", "admin", "retired"):
        who = {"reviewer": world.accounts[role]["id"], "action": "approve", "reason": "Checked by phone."}
    else:
        who = {"user": world.alice["id"], "action": "cancel"}
    return {
        "users": (fixtures.account(reference=f"partner-{n}"), None),
        "reviewers": (fixtures.account(email=f"r{n}@reviewers.test", name="R", role="admin"), None),
        "services": (fixtures.account(email=f"s{n}@services.test", name="s"), None),
        "policies": ({"name": f"policy-{n}", "version": 1, "minimum_age": 18}, None),
        "verifications": ({"user": world.alice["id"], "declared_name": "Alice Example"}, None),
        "documents": ({**verification, "type": "passport"}, fixtures.picture()),
        "liveness_sessions": (verification, None),
        "device_signals": ({**verification, "event_id": fixtures.event_id(), "stage": "start"}, None),
        "actions": ({**verification, **who}, None),
        "checks": ({**verification, "kind": "document", "attempt": 100 + n, "outcome": "passed"}, None),
        "document_hashes": ({**verification, **fixtures.hashes(n)}, None),
        "known_documents": ({"hash": f"{n:064x}", "listing": "compromised"}, None),
        "journal": ({**verification, "seq": 100 + n, "event": "started", "hash": "0" * 64}, None),
        "heartbeats": ({"instance": f"sidecar-{n}"}, None),
        "webhook_endpoints": (fixtures.endpoint_fields(), None),
        "webhook_deliveries": (
            {
                **verification,
                "endpoint": world.alice_has["webhook_endpoints"]["id"],
                "seq": 100 + n,
                "event": "verification.approved",
                "status": "pending",
            },
            None,
        ),
    }.get(collection, ({"declared_name": "nobody"}, None))


def updating(world, collection, role, can):
    record = world.alice_has[collection]["id"]
    status, answer = world.patch(role, collection, record, CHANGE.get(collection, {"declared_name": "x"}))
    world.report.check((status == 200) == can, says(role, can, "update", collection), f"answered {status}: {answer}")


def deleting(world, collection, role, can):
    """Tries alice's record; a superuser, who would succeed, gets a record of their own."""
    record = world.alice_has[collection]["id"]
    if can:
        body, files_ = new(world, collection, role)
        record = world.server.make(collection, body, files=files_)["id"]
    status, _ = world.call(role, "DELETE", records(collection, record))
    world.report.check((status == 204) == can, says(role, can, "delete", collection), f"answered {status}")


def files(world):
    world.server.call(
        "PATCH", records("users", world.alice["id"]), {}, world.server.superuser, files=fixtures.picture("avatar")
    )
    for collection, names in FILES.items():
        record = world.read(collection, world.alice_has[collection]["id"])
        for name in names:
            path = f"/api/files/{collection}/{record['id']}/{record[name]}"
            for role in ROLES:
                can = role in TABLE[collection][0]
                status, answer = world.call(role, "POST", "/api/files/token", {})
                token = answer["token"] if status == 200 else ""
                found = world.server.call("GET", f"{path}?token={token}")[0]
                world.report.check((found == 200) == can, says(role, can, f"fetch {name} of", collection), f"answered {found}")
                bare = world.call(role, "GET", path)[0]
                world.report.check(bare != 200, f"{role} cannot fetch {name} of {collection} without a file token", f"answered {bare}")


def realtime(world):
    """Each role subscribes to every collection; then each of alice's records is changed once."""
    ids = {collection: record["id"] for collection, record in world.alice_has.items() if collection in TABLE}
    topics = [topic for collection, record in ids.items() for topic in (f"{collection}/*", f"{collection}/{record}")]
    ears = {role: Subscriber(world.server, world.tokens[role], topics) for role in ROLES}
    for collection in TABLE.keys() - VIEWS:
        world.patch("superuser", collection, ids[collection], {})
    wanted = {
        role: {
            (topic, "update", ids[collection])
            for collection, (readers, _, _) in TABLE.items()
            if role in readers and collection not in VIEWS
            for topic in (f"{collection}/*", f"{collection}/{ids[collection]}")
        }
        for role in ROLES
    }
    for role, ear in ears.items():
        ear.heard_all(wanted[role], DELIVERY_SECONDS)
    time.sleep(QUIET_SECONDS)  # an event that must not come gets the time to come
    for role, ear in ears.items():
        heard = set(ear.heard)
        for collection, (readers, _, _) in TABLE.items():
            for topic in (f"{collection}/*", f"{collection}/{ids[collection]}"):
                can = role in readers and collection not in VIEWS
                event = (topic, "update", ids[collection])
                shape = "all" if topic.endswith("*") else "one"
                claim = f"{role} {'hears' if can else 'does not hear'} {collection} (subscribed to {shape})"
                world.report.check((event in heard) == can, claim)
        ear.close()
