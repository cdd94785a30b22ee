"""Attempts on one rule each: another person's case, a closed case, false actors, and indirect ways to a value."""

import json
import time
import urllib.parse

import fixtures
from pocketbase import records
from realtime import Subscriber

SECRET_REASON = "Sounded nervous on the phone."


def run(world):
    other_peoples_cases(world)
    closed_cases(world)
    actions_of_people(world)
    actions_of_reviewers(world)
    policies_by_name(world)
    people_and_their_accounts(world)
    same_id_in_another_collection(world)
    side_channels(world)
    journal_is_a_lock(world)
    deleting_a_person_deletes_what_belongs_to_them(world)


def evidence(world, verification, session=None):
    """One creation of each kind of evidence and of each action of a person."""
    of = {"verification": verification["id"]}
    by = {**of, "user": verification["user"]}
    completed = {**by, "action": "liveness_completed", "liveness_session": session["id"]} if session else None
    found = [
        ("documents", {**of, "type": "passport"}, fixtures.picture()),
        ("liveness_sessions", of, None),
        ("device_signals", {**of, "event_id": fixtures.event_id()}, None),
        ("actions", {**by, "action": "cancel"}, None),
        ("actions", completed, None),
    ]
    return [item for item in found if item[1]]


def other_peoples_cases(world):
    report = world.report
    theirs = world.open_case("bob")
    for collection, body, files in evidence(world, theirs, world.bob_has["liveness_sessions"]):
        report.refused(world.create("alice", collection, body, files), f"alice cannot add {collection} to bob's case")
        if collection == "actions":
            own = {**body, "user": world.alice["id"]}
            report.refused(world.create("alice", collection, own), "alice cannot act on bob's case in her own name")
    answer = world.create("alice", "verifications", {"user": world.bob["id"]})
    report.refused(answer, "alice cannot start a case for bob")
    report.refused(world.create("alice", "verifications", {}), "alice cannot start a case without a person")
    for how in ["admin", "service"]:
        answer = world.create(how, "verifications", {"user": world.alice["id"]})
        (report.accepted if how == "service" else report.refused)(answer, f"{how} starts a case for alice")
    taken = {"user": world.alice["id"], "id": world.bob_has["verifications"]["id"]}
    report.refused(world.create("alice", "verifications", taken), "alice cannot take the id of bob's case")
    put = {"method": "PUT", "url": records("verifications"), "body": {**taken, "declared_name": "Mine"}}
    answer = world.call("alice", "POST", "/api/batch", {"requests": [put]})
    report.refused(answer, "alice cannot overwrite bob's case by an upsert")
    put["body"]["id"] = world.alice_has["verifications"]["id"]
    report.refused(world.call("alice", "POST", "/api/batch", {"requests": [put]}), "alice cannot overwrite her own case")


def closed_cases(world):
    for name in ["alice", "service"]:
        case = world.open_case()
        session = world.server.make("liveness_sessions", {"verification": case["id"]})
        for collection, body, files in evidence(world, case, session):
            what = body.get("action", "evidence")
            answer = world.create(name, collection, body, files)
            world.report.accepted(answer, f"{name} adds {collection} ({what}) while the case is open")
        world.patch("service", "verifications", case["id"], {"status": "approved", "final": True})
        for collection, body, files in evidence(world, case, session):
            answer = world.create(name, collection, body, files)
            world.report.refused(answer, f"{name} cannot add {collection} to a final case")


def actions_of_people(world):
    report, case = world.report, world.open_case()
    of = {"verification": case["id"], "user": world.alice["id"]}
    session = world.server.make("liveness_sessions", {"verification": case["id"]})
    foreign = world.alice_has["liveness_sessions"]["id"]
    for name in ["alice", "service"]:
        for action in ["approve", "decline", "request_resubmission", "reopen", "redact"]:
            body = {**of, "action": action, "reason": "Because."}
            report.refused(world.create(name, "actions", body), f"{name} cannot {action}")
        completed = {**of, "action": "liveness_completed"}
        report.refused(world.create(name, "actions", completed), f"{name} must name the session that was completed")
        answer = world.create(name, "actions", {**completed, "liveness_session": foreign})
        report.refused(answer, f"{name} cannot complete a session of another case")
        answer = world.create(name, "actions", {**of, "action": "cancel", "liveness_session": session["id"]})
        report.refused(answer, f"{name} cannot cancel with a session")
        wrong = {**of, "action": "cancel", "user": world.bob["id"]}
        report.refused(world.create(name, "actions", wrong), f"{name} cannot act in bob's name")
        nobody = {"verification": case["id"], "action": "cancel"}
        report.refused(world.create(name, "actions", nobody), f"{name} cannot act without a name")
    written = {"verification": case["id"], "action": "decline", "reason": SECRET_REASON}
    by_reviewer = world.server.make("actions", {**written, "reviewer": world.accounts["reviewer"]["id"]})
    by_superuser = world.server.make("actions", written)
    for record in [by_reviewer, by_superuser]:
        answer = world.call("alice", "GET", records("actions", record["id"]))
        report.refused(answer, "alice cannot read what a reviewer wrote about her")


def actions_of_reviewers(world):
    report, case = world.report, world.open_case()
    ids = {name: world.accounts[name]["id"] for name in ["reviewer", "admin", "retired"]}

    def act(who, **fields):
        body = {"verification": case["id"], "reviewer": ids[who], "action": "approve", "reason": "Seen.", **fields}
        return world.create(who, "actions", body)

    for who in ["reviewer", "admin"]:
        for action in ["approve", "decline", "reopen"]:
            report.accepted(act(who, action=action), f"{who} can {action}")
        report.accepted(act(who, action="request_resubmission", redo=["document", "liveness"]), f"{who} asks for a resubmission")
        for action in ["liveness_completed", "cancel"]:
            report.refused(act(who, action=action), f"{who} cannot {action} for the person")
        report.refused(act(who, reason=""), f"{who} must give a reason")
        report.refused(act(who, reason=" \n\t"), f"{who} must give a reason that is not blank")
        report.refused(act(who, redo=["document"]), f"{who} cannot approve and ask for a document")
        report.refused(act(who, reviewer=""), f"{who} cannot decide without a name")
        report.refused(act(who, reviewer=ids["retired"]), f"{who} cannot decide in another reviewer's name")
        report.refused(act(who, action=""), f"{who} must say what to do")
    report.refused(act("reviewer", action="redact"), "a reviewer cannot redact")
    report.accepted(act("admin", action="redact"), "an admin can redact")
    report.refused(act("retired"), "a retired reviewer cannot decide with an old token")
    answer = world.server.call(
        "POST",
        "/api/collections/reviewers/auth-with-password",
        {"identity": "retired@reviewers.test", "password": fixtures.PASSWORD},
    )
    report.refused(answer, "a retired reviewer cannot sign in")
    answer = world.call("retired", "POST", "/api/collections/reviewers/auth-refresh")
    report.refused(answer, "a retired reviewer cannot renew a token")
    answer = world.patch("reviewer", "reviewers", ids["reviewer"], {"role": "admin"})
    report.refused(answer, "a reviewer cannot become an admin")


def policies_by_name(world):
    def policy(name, version, open_to_users):
        world.server.make("policies", {"name": name, "version": version, "open_to_users": open_to_users})

    policy("internal", 1, False)
    policy("closed-later", 1, True)
    policy("closed-later", 2, False)
    policy("opened-later", 1, False)
    policy("opened-later", 2, True)
    wanted = {"": True, "default": True, "opened-later": True, "closed-later": False, "internal": False, "unknown": False}
    for name, may in wanted.items():
        answer = world.create("alice", "verifications", {"user": world.alice["id"], "policy_name": name})
        claim = f"alice {'may' if may else 'may not'} ask for the policy {name!r}"
        (world.report.accepted if may else world.report.refused)(answer, claim)
    answer = world.create("service", "verifications", {"user": world.alice["id"], "policy_name": "internal"})
    world.report.accepted(answer, "a service may ask for a policy that is closed to people")


def people_and_their_accounts(world):
    report = world.report
    alice, bob = world.alice["id"], world.bob["id"]
    plain = fixtures.account(email="new@people.test")
    report.refused(world.create("guest", "users", plain), "a guest cannot sign up")
    report.refused(world.create("service", "users", plain), "a service cannot create a person without a reference")
    twice = fixtures.account(reference="partner-alice")
    report.refused(world.create("service", "users", twice), "a reference names one person")
    for name, body in [("reference", {"reference": "partner-bob"}), ("verified", {"verified": True}), ("email", {"email": "x@y.test"})]:
        report.refused(world.patch("bob", "users", bob, body), f"bob cannot set his {name}")
        report.refused(world.patch("alice", "users", alice, body), f"alice, with a reference, cannot set her {name}")
    password = fixtures.account()
    report.refused(world.patch("bob", "users", bob, password), "bob cannot set a password without the old one")
    report.refused(world.patch("alice", "users", alice, password), "alice cannot set a password without the old one")
    report.refused(world.patch("alice", "users", bob, {"name": "x"}), "alice cannot rename bob")
    report.refused(world.patch("service", "users", bob, password), "a service cannot set the password of a person without a reference")
    report.refused(world.patch("service", "users", bob, {"reference": "mine"}), "a service cannot give bob a reference")
    report.refused(world.patch("service", "users", bob, {"name": "x"}), "a service cannot rename bob")
    report.refused(world.patch("service", "users", alice, {"reference": "other"}), "a reference never changes")
    report.refused(world.patch("service", "users", alice, {"reference": ""}), "a reference is never removed")
    answer = world.call("service", "POST", f"/api/collections/users/impersonate/{alice}", {"duration": 60})
    report.refused(answer, "a service cannot impersonate")
    report.accepted(world.patch("service", "users", alice, password), "a service sets the password of a person with a reference")
    answer = world.call("alice", "GET", records("verifications", world.alice_has["verifications"]["id"]))
    report.refused(answer, "a new password ends older tokens")
    world.tokens["alice"] = world.server.login("users", "partner-alice", fixtures.PASSWORD)


def same_id_in_another_collection(world):
    """The rules compare ids with `@request.auth.id`; PocketBase keeps an id from being used in two auth collections."""
    for victim, home in [("reviewer", "users"), ("service", "users"), ("alice", "reviewers"), ("alice", "services")]:
        twin = {**fixtures.account(email=f"twin-{victim}@x.test", name="twin"), "id": world.accounts[victim]["id"]}
        answer = world.create("superuser", home, {**twin, "role": "admin"})
        world.report.refused(answer, f"no record of {home} can have the id of the {victim}")


def side_channels(world):
    """A filter, sort, expand or subscription must not reveal to alice what she cannot read: true and false have the same answer."""
    report = world.report
    case = world.alice_has["verifications"]["id"]
    note = world.server.make("actions", {"verification": case, "action": "decline", "reason": SECRET_REASON})
    fields = {"verification": case, "seq": 2, "event": "action_applied", "hash": "1" * 64, "action": note["id"]}
    row = world.server.make("journal", fields)

    pairs = {  # collection -> (a filter that is true, one that is false), about values alice cannot read
        "verifications": [
            ("checks_via_verification.outcome ?= 'review'", "checks_via_verification.outcome ?= 'passed'"),
            ("checks_via_verification.scores.similarity ?> 90", "checks_via_verification.scores.similarity ?> 99"),
            ("policy.face_match_pass > 90", "policy.face_match_pass > 99"),
            ("actions_via_verification.reason ?~ 'nervous'", "actions_via_verification.reason ?~ 'calm'"),
            ("@collection.checks.outcome ?= 'review'", "@collection.checks.outcome ?= 'error'"),
            ("@collection.actions.reason ?~ 'nervous'", "@collection.actions.reason ?~ 'calm'"),
            ("@collection.cases.checks ?~ 'review'", "@collection.cases.checks ?~ 'no such outcome'"),
            ("@collection.users.email ?= 'bob@people.test'", "@collection.users.email ?= 'eve@people.test'"),
            ("@collection.webhook_endpoints.secret ?~ 'whsec'", "@collection.webhook_endpoints.secret ?~ 'other'"),
            ("@collection.verifications.declared_name ?= 'bob'", "@collection.verifications.declared_name ?= 'eve'"),
        ],
        "journal": [
            ("action.reason ~ 'nervous'", "action.reason ~ 'calm'"),
            ("verification.checks_via_verification.outcome ?= 'review'", "verification.checks_via_verification.outcome ?= 'passed'"),
        ],
    }
    for collection, filters in pairs.items():
        for true, false in filters:
            answers = [world.call("alice", "GET", f"{records(collection)}?filter={urllib.parse.quote(f)}") for f in (true, false)]
            kinds = [(status, body.get("totalItems")) for status, body in answers]
            told = [world.call("superuser", "GET", f"{records(collection)}?filter={urllib.parse.quote(f)}") for f in (true, false)]
            control = [body.get("totalItems") for _, body in told]
            report.check(control[0] != control[1], f"a superuser sees the difference: {true}", f"{control}")
            report.check(kinds[0] == kinds[1], f"alice learns nothing from {collection}?filter={true}", f"{kinds}")
            heard = [receives(world, collection, case if collection == "verifications" else row["id"], f) for f in (true, false)]
            report.check(heard[0] == heard[1], f"alice learns nothing from a subscription with {true}", f"{heard}")
    for collection, record, path in [
        ("journal", row["id"], "action"),
        ("verifications", case, "policy"),
        ("verifications", case, "checks_via_verification"),
        ("verifications", case, "actions_via_verification"),
        ("verifications", case, "webhook_deliveries_via_verification.endpoint"),
    ]:
        status, answer = world.call("alice", "GET", f"{records(collection, record)}?expand={path}")
        told = json.dumps(answer)
        leaked = [word for word in [SECRET_REASON, "whsec", "similarity", "face_match_pass"] if word in told]
        report.check(status == 200 and not leaked, f"alice cannot expand {collection} to {path}", f"{status} {leaked}")


def receives(world, collection, record, condition):
    """Whether a changed record arrives over a subscription of alice with that filter."""
    options = urllib.parse.quote(json.dumps({"query": {"filter": condition}}))
    topics = [f"{collection}/*?options={options}", f"{collection}/{record}"]
    ear = Subscriber(world.server, world.tokens["alice"], topics)
    world.patch("superuser", collection, record, {})
    ear.heard_all({(topics[1], "update", record)}, 5)
    time.sleep(0.1)
    ear.close()
    return any(topic == topics[0] for topic, _, _ in ear.heard)


def journal_is_a_lock(world):
    report, case = world.report, world.open_case()
    of = {"verification": case["id"], "hash": "2" * 64}

    def batch(seq, status, **fields):
        row = {"method": "POST", "url": records("journal"), "body": {**of, "seq": seq, "event": "decided", **fields}}
        patch = {"method": "PATCH", "url": records("verifications", case["id"]), "body": {"status": status, "version": seq}}
        return world.call("service", "POST", "/api/batch", {"requests": [row, patch]})

    report.accepted(batch(1, "processing"), "a batch appends journal row 1 and patches the case")
    late = batch(1, "approved")
    report.refused(late, "a second row 1 is refused")
    code = late[1]["data"]["requests"]["0"]["response"]["data"].get("seq", {}).get("code")
    report.check(code == "validation_not_unique", "the loser learns that seq is taken", f"told {late[1]}")
    status = world.read("verifications", case["id"])["status"]
    report.check(status == "processing", "the loser's patch is undone", f"status is {status!r}")
    action = world.server.make("actions", {"verification": case["id"], "action": "cancel", "user": world.alice["id"]})
    report.accepted(batch(2, "canceled", action=action["id"]), "a journal row answers an action")
    report.refused(batch(3, "canceled", action=action["id"]), "an action is answered once")


def deleting_a_person_deletes_what_belongs_to_them(world):
    carol = fixtures.person(world.server, "carol")
    has = fixtures.complete_case(world.server, carol)
    answered = {"verification": has["verifications"]["id"], "seq": 2, "event": "canceled", "hash": "3" * 64}
    has["journal 2"] = world.server.make("journal", {**answered, "action": has["actions"]["id"]})
    status, answer = world.call("superuser", "DELETE", records("users", carol["id"]))
    world.report.check(status == 204, "a superuser can delete a person with a case", f"answered {status}: {answer}")
    for name, record in has.items():
        collection = name.split()[0]
        left = world.read(collection, record["id"]) is not None
        world.report.check(left == (collection == "webhook_endpoints"), f"a deleted person leaves no {name}")
