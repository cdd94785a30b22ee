"""Who may write which field: every field that is not the author's own is tried in every way a request can carry it.

The lists say who writes each field, as docs/records.md does. A field that is in none of them fails the run, so a
new field cannot be forgotten.
"""

import json

import fixtures
from pocketbase import records

DATE = "2030-01-01 00:00:00.000Z"
HASH = "ab" * 32

VERIFICATION_OF_PERSON = {
    "policy_name": "default",
    "declared_name": "Somebody Else",
    "declared_date_of_birth": "1990-01-31",
    "declared_document_type": "passport",
    "declared_document_number": "X1",
    "declared_country": "UTO",
    "contact_email": "else@people.test",
    "contact_phone": "+34 600 000 000",
    "consent_version": "2",
    "consent_given_at": DATE,
    "locale": "es",
    "metadata": {"order": 2},
}
VERIFICATION_OF_FACADE = {"reference": "partner-x", "idempotency_key": HASH, "request_hash": HASH}
VERIFICATION_OF_SERVICE = {
    "policy": "policydefault01",
    "status": "approved",
    "final": True,
    "version": 9,
    "decision_source": "reviewer",
    "reasons": [{"code": "document.expired"}],
    "next": ["device"],
    "results": {"document": "passed"},
    "attempts_used": 2,
    "attempts_max": 9,
    "expires_at": DATE,
    "decided_at": DATE,
    "verified_until": DATE,
    "redacted_at": DATE,
}
SESSION_OF_SERVICE = {
    "session_id": "stolen-session",
    "region": "eu-west-1",
    "challenge": "FaceMovementChallenge",
    "status": "completed",
    "expires_at": DATE,
}
ACTION_OF_SERVER = {"superuser": "superuser000001"}
ACTION_NOT_OF_PERSON = {"reviewer": "reviewer", "redo": ["document"], **ACTION_OF_SERVER}
ACTION_NOT_OF_REVIEWER = {"user": "alice", "liveness_session": "session", **ACTION_OF_SERVER}


def run(world):
    every_field_has_a_writer(world)
    people_set_only_their_own(world)
    server_names_the_superuser(world)
    service_changes_only_its_own(world)


def every_field_has_a_writer(world):
    written = {
        "verifications": ["user", *VERIFICATION_OF_PERSON, *VERIFICATION_OF_FACADE, *VERIFICATION_OF_SERVICE],
        "documents": ["verification", "type", "country", "front", "back"],
        "liveness_sessions": ["verification", *SESSION_OF_SERVICE],
        "device_signals": ["verification", "event_id", "stage"],
        "actions": ["verification", "action", "reason", *ACTION_NOT_OF_PERSON, *ACTION_NOT_OF_REVIEWER],
    }
    for collection, names in written.items():
        found = set(world.fields(collection))
        world.report.check(found == set(names), f"each field of {collection} has a writer here", f"differs in {found ^ set(names)}")


def people_set_only_their_own(world):
    session = world.alice_has["liveness_sessions"]["id"]
    known = {"reviewer": world.accounts["reviewer"]["id"], "alice": world.alice["id"], "session": session}

    def resolved(values):
        return {field: known.get(value, value) if isinstance(value, str) else value for field, value in values.items()}

    alice = {"user": world.alice["id"]}
    of = {"verification": world.open_case()["id"]}
    cancel = {**of, "action": "cancel", "user": world.alice["id"]}
    approve = {**of, "action": "approve", "reason": "Seen.", "reviewer": known["reviewer"]}

    not_hers = resolved({**VERIFICATION_OF_FACADE, **VERIFICATION_OF_SERVICE})
    attempts(world, "alice", "verifications", alice, not_hers, ours=VERIFICATION_OF_PERSON)
    attempts(world, "alice", "liveness_sessions", of, SESSION_OF_SERVICE)
    attempts(world, "alice", "actions", cancel, resolved(ACTION_NOT_OF_PERSON), ours={"reason": "Changed my mind."})
    attempts(world, "service", "actions", cancel, resolved(ACTION_NOT_OF_PERSON))
    attempts(world, "reviewer", "actions", approve, {**resolved(ACTION_NOT_OF_REVIEWER), "redo": ["document"]})


def server_names_the_superuser(world):
    """A superuser who creates an action is named in it, in each way of creating, whatever was sent."""
    _, found = world.call("superuser", "GET", records("_superusers"))
    (superuser,) = [account["id"] for account in found["items"]]
    decline = {"verification": world.open_case()["id"], "action": "decline", "reason": "Seen."}
    for way, send in CREATIONS.items():
        for what, extra in [("nothing", {}), ("another id", ACTION_OF_SERVER), ("an empty value", {"superuser": ""})]:
            status, body = send(world, "superuser", "actions", decline, extra)
            made = body[0]["body"] if isinstance(body, list) else body
            stored = world.read("actions", made["id"])["superuser"] if status == 200 else None
            claim = f"an action by a superuser who sent {what} by {way} names the superuser"
            world.report.check(stored == superuser, claim, f"answered {status}, stored {stored!r}")


def attempts(world, role, collection, base, forbidden, ours=None):
    """Each way of creating works for the author's own fields and for no forbidden one."""
    for way, send in CREATIONS.items():
        answer = send(world, role, collection, base, ours or {})
        world.report.accepted(answer, f"{role} creates {collection} by {way}")
        for field, value in forbidden.items():
            for form, extra in [("a value", value), ("an empty value", empty(value))]:
                answer = send(world, role, collection, base, {field: extra})
                world.report.refused(answer, f"{role} cannot set {collection}.{field} by {way}, {form}")
            for name in [f"{field}+", f"{field}-", f"+{field}", field.capitalize(), f" {field}"]:
                answer = send(world, role, collection, base, {name: value})
                stays_empty(world, collection, field, answer, f"{role} cannot set {collection}.{field} as {name!r} by {way}")
    for field in forbidden:
        answer = world.call(role, "POST", records(collection) + f"?{field}=1", base)
        stays_empty(world, collection, field, answer, f"{role} cannot set {collection}.{field} by query")


def stays_empty(world, collection, field, answer, claim):
    """Refused, or (where PocketBase does not take the name for a field) nothing was stored."""
    status, body = answer
    stored = None
    if status == 200:
        made = body[0]["body"] if isinstance(body, list) else body
        stored = world.read(collection, made["id"])[field]
    world.report.check(not stored, claim, f"answered {status}, stored {stored!r}")


def empty(value):
    return {bool: False, int: 0, list: [], dict: {}}.get(type(value), "")


def by_json(world, role, collection, base, extra):
    return world.create(role, collection, {**base, **extra})


def by_multipart(world, role, collection, base, extra):
    return world.create(role, collection, {**base, **extra}, files={})


def by_json_payload(world, role, collection, base, extra):
    return world.create(role, collection, {**base, "@jsonPayload": json.dumps(extra)}, files={})


def by_batch(world, role, collection, base, extra):
    requests = [{"method": "POST", "url": records(collection), "body": {**base, **extra}}]
    return world.call(role, "POST", "/api/batch", {"requests": requests})


def by_upsert(world, role, collection, base, extra):
    record = f"upsert{fixtures.number():09d}"
    requests = [{"method": "PUT", "url": records(collection), "body": {"id": record, **base, **extra}}]
    return world.call(role, "POST", "/api/batch", {"requests": requests})


CREATIONS = {
    "json": by_json,
    "multipart": by_multipart,
    "@jsonPayload": by_json_payload,
    "batch": by_batch,
    "batch upsert": by_upsert,
}


def service_changes_only_its_own(world):
    verification = world.alice_has["verifications"]
    endpoint = world.server.make("webhook_endpoints", fixtures.endpoint_fields())
    other = {"verification": world.bob_has["verifications"]["id"]}
    updates(world, "verifications", verification, VERIFICATION_OF_SERVICE, {"user": world.bob["id"]})
    filled = fixtures.case(world.server, world.alice, **VERIFICATION_OF_PERSON, **VERIFICATION_OF_FACADE)
    theirs = {field: changed(value) for field, value in {**VERIFICATION_OF_PERSON, **VERIFICATION_OF_FACADE}.items()}
    updates(world, "verifications", filled, {}, theirs)
    # It may neither blank them nor send them unchanged: a person's declarations are not the service's to write.
    for field in theirs:
        blank = None if field == "metadata" else ""
        for value, name in [(blank, "blank"), (filled[field], "send again")]:
            answer = world.patch("service", "verifications", filled["id"], {field: value, "status": "processing"})
            world.report.refused(answer, f"service cannot {name} verifications.{field}")
        stored = world.read("verifications", filled["id"])
        world.report.check(stored[field] == filled[field], f"verifications.{field} stays", f"stored {stored[field]!r}")
    updates(world, "liveness_sessions", world.alice_has["liveness_sessions"], SESSION_OF_SERVICE, other)
    updates(world, "heartbeats", world.alice_has["heartbeats"], {"beat": 5, "sweep_cursor": "x"}, {"instance": "other"})
    of_delivery = {
        **other,
        "endpoint": endpoint["id"],
        "seq": 77,
        "event": "verification.declined",
        "payload": {"other": 1},
    }
    delivery = world.alice_has["webhook_deliveries"]
    updates(world, "webhook_deliveries", delivery, {"status": "delivered", "attempts": 2}, of_delivery)


def changed(value):
    """Another valid value of the same kind."""
    others = {"default": "other", "passport": "identity_card", "UTO": "ESP", "es": "fr", DATE: "2031-01-01 00:00:00.000Z"}
    if isinstance(value, dict):
        return {"order": 3}
    return others.get(value) or ("1980-12-31" if value == "1990-01-31" else ("cd" * 32 if value == HASH else f"a{value}"))


def updates(world, collection, record, own, forbidden):
    """The service may write `own` and cannot change `forbidden`, in any way of updating."""
    for way, send in UPDATES.items():
        if own:
            world.report.accepted(send(world, collection, record["id"], own), f"service updates {collection} by {way}")
        for field, value in forbidden.items():
            before = world.read(collection, record["id"])[field]
            answer = send(world, collection, record["id"], {field: value})
            world.report.refused(answer, f"service cannot change {collection}.{field} by {way}")
            send(world, collection, record["id"], {f"{field}+": value})  # refused, or not a modifier of this type
            after = world.read(collection, record["id"])[field]
            world.report.check(after == before, f"{collection}.{field} is as it was after {way}", f"{before!r} -> {after!r}")


def patch_json(world, collection, record, body):
    return world.patch("service", collection, record, body)


def patch_multipart(world, collection, record, body):
    return world.patch("service", collection, record, body, files={})


def patch_batch(world, collection, record, body):
    requests = [{"method": "PATCH", "url": records(collection, record), "body": body}]
    return world.call("service", "POST", "/api/batch", {"requests": requests})


def patch_upsert(world, collection, record, body):
    requests = [{"method": "PUT", "url": records(collection), "body": {"id": record, **body}}]
    return world.call("service", "POST", "/api/batch", {"requests": requests})


UPDATES = {"json": patch_json, "multipart": patch_multipart, "batch": patch_batch, "batch upsert": patch_upsert}
