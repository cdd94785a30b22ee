"""The settings: batches are on and large enough, and limits bind guests and sign-ins but never the service."""

import fixtures
from pocketbase import records

PEOPLE_SIGNING_IN = 40
CALLS_OF_THE_SERVICE = 600


def run(world):
    settings(world)
    the_service_is_never_throttled(world)
    a_facade_signs_in_many_people(world)
    guessing_is_throttled(world)
    guests_are_throttled(world)  # last: it uses up what guests may do


def settings(world):
    _, found = world.call("superuser", "GET", "/api/settings")
    wanted = {
        "batch": {"enabled": True, "maxRequests": 200, "timeout": 10, "maxBodySize": 32 * 1024 * 1024},
        "logs": {"minLevel": 4, "maxDays": 3, "logIP": False, "logAuthId": False},
    }
    for group, values in wanted.items():
        for name, value in values.items():
            world.report.check(found[group][name] == value, f"{group}.{name} is {value}", f"is {found[group][name]}")
    world.report.check(found["meta"]["appName"] == "Identivia", "the admin UI says whose it is")
    _, answer = world.call("superuser", "GET", "/api/collections?perPage=500")
    for collection in answer["items"]:
        for field in collection["fields"]:
            if field["type"] == "file" and collection["type"] != "view":
                what = f"{collection['name']}.{field['name']}"
                world.report.check(field["protected"], f"{what} is protected")
                types = set(field["mimeTypes"])
                world.report.check(types == {"image/jpeg", "image/png"}, f"{what} takes JPEG and PNG only", f"{types}")
                world.report.check(0 < field["maxSize"] <= 5 * 1024 * 1024, f"{what} has a size limit")
        if not collection["name"].startswith("_"):
            rules = {rule: collection[rule] for rule in collection if rule.endswith("Rule") and rule != "authRule"}
            world.report.check("" not in rules.values(), f"{collection['name']} is not open to everybody", f"{rules}")
    oversized = {"front": ("big.png", fixtures.png() + b"\0" * (5 * 1024 * 1024))}
    disguised = {"front": ("page.png", b"<html><script>alert(1)</script></html>")}
    for what, file in [("larger than 5 MiB", oversized), ("that is a page", disguised)]:
        body = {"verification": world.open_case()["id"], "type": "passport"}
        world.report.refused(world.create("alice", "documents", body, file), f"a document {what} is refused")


def the_service_is_never_throttled(world):
    requests = [{"method": "POST", "url": records("heartbeats"), "body": {"instance": f"batch-{n}"}} for n in range(200)]
    world.report.accepted(world.call("service", "POST", "/api/batch", {"requests": requests}), "a batch of 200 passes")
    too_many = [*requests, {"method": "POST", "url": records("heartbeats"), "body": {"instance": "batch-200"}}]
    world.report.refused(world.call("service", "POST", "/api/batch", {"requests": too_many}), "a batch of 201 does not")

    case = world.open_case()["id"]
    record = world.read("documents", world.alice_has["documents"]["id"])
    token = world.call("service", "POST", "/api/files/token", {})[1]["token"]
    file = f"/api/files/documents/{record['id']}/{record['front']}?token={token}"
    statuses = {"read": set(), "create": set(), "batch": set(), "file": set(), "file as the service": set()}
    for n in range(CALLS_OF_THE_SERVICE):
        statuses["read"].add(world.call("service", "GET", records("verifications", case))[0])
        statuses["file"].add(world.server.call("GET", file)[0])
        if n % 6 == 0:
            statuses["file as the service"].add(world.call("service", "GET", file)[0])
            statuses["create"].add(world.create("service", "heartbeats", {"instance": f"many-{n}"})[0])
            one = [{"method": "POST", "url": records("heartbeats"), "body": {"instance": f"one-{n}"}}]
            statuses["batch"].add(world.call("service", "POST", "/api/batch", {"requests": one})[0])
    for what, seen in statuses.items():
        world.report.check(seen == {200}, f"the service is not throttled: {what}", f"answered {seen}")


def a_facade_signs_in_many_people(world):
    statuses = set()
    for n in range(PEOPLE_SIGNING_IN):
        account = fixtures.account(reference=f"partner-{n}")
        statuses.add(world.create("service", "users", account)[0])
        identity = {"identity": f"partner-{n}", "password": fixtures.PASSWORD}
        statuses.add(world.server.call("POST", "/api/collections/users/auth-with-password", identity)[0])
    world.report.check(statuses == {200}, f"{PEOPLE_SIGNING_IN} people in a row get a token", f"answered {statuses}")


def guessing_is_throttled(world):
    for collection, identity in [("_superusers", "root@identivia.test"), ("reviewers", "admin@reviewers.test")]:
        body = {"identity": identity, "password": "wrong-guess"}
        path = f"/api/collections/{collection}/auth-with-password"
        statuses = [world.server.call("POST", path, body)[0] for _ in range(14)]
        world.report.check(429 in statuses, f"guessing a password of {collection} is throttled", f"{statuses}")
        world.report.check(200 not in statuses, f"no guess into {collection} succeeds")
    asked = [
        world.server.call("POST", "/api/collections/users/request-password-reset", {"email": "bob@people.test"})[0]
        for _ in range(6)
    ]
    world.report.check(429 in asked, "mails to reset a password are throttled", f"{asked}")


def guests_are_throttled(world):
    created = {world.server.call("POST", records("verifications"), {})[0] for _ in range(20)}
    world.report.check(429 in created, "creations by guests are throttled", f"answered {created}")
    batches = {world.server.call("POST", "/api/batch", {"requests": []})[0] for _ in range(10)}
    world.report.check(429 in batches, "batches by guests are throttled", f"answered {batches}")
    reads = {world.server.call("GET", records("verifications"))[0] for _ in range(400)}
    world.report.check(429 in reads, "reads by guests are throttled", f"answered {reads}")
    answer = world.call("service", "GET", records("verifications"))
    world.report.accepted(answer, "the service goes on from the same address")
