"""The people of the rules tests, what they own, and how results are counted."""

import base64
import json

import fixtures
from pocketbase import records

PEOPLE = ["alice", "bob"]
REVIEWERS = ["reviewer", "admin"]
# `retired` holds a token from before the role was emptied; `forged` changed the claims of a user's token.
ROLES = ["guest", "forged", *PEOPLE, *REVIEWERS, "retired", "service", "superuser"]


class Report:
    """Counts the claims that hold and shows those that do not."""

    def __init__(self, verbose):
        self.verbose, self.passed, self.failed = verbose, 0, 0

    def check(self, holds, claim, detail=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        if self.verbose or not holds:
            print(f"{'ok  ' if holds else 'FAIL'} {claim}" + (f"\n     {detail}" if detail and not holds else ""), flush=True)

    def refused(self, answer, claim):
        status, body = answer
        self.check(400 <= status < 500, claim, f"answered {status}: {shown(body)}")

    def accepted(self, answer, claim):
        status, body = answer
        self.check(200 <= status < 300, claim, f"answered {status}: {shown(body)}")


class World:
    """A server with every role signed in, and a complete case for alice (`self.alice_has`) and bob."""

    def __init__(self, server, report):
        self.server, self.report = server, report
        self.alice = server.make("users", fixtures.account(reference="partner-alice", name="Alice Example"))
        self.bob = fixtures.person(server, "bob")
        self.accounts = {"alice": self.alice, "bob": self.bob}
        for name, role in [("reviewer", "reviewer"), ("admin", "admin"), ("retired", "reviewer")]:
            fields = fixtures.account(email=f"{name}@reviewers.test", name=name, role=role)
            self.accounts[name] = server.make("reviewers", fields)
        self.accounts["service"] = server.make("services", fixtures.account(email="sidecar@services.test", name="sidecar"))

        self.tokens = {"guest": None, "superuser": server.superuser}
        self.tokens["alice"] = server.login("users", "partner-alice", fixtures.PASSWORD)
        self.tokens["bob"] = server.login("users", "bob@people.test", fixtures.PASSWORD)
        for name in ["reviewer", "admin", "retired"]:
            self.tokens[name] = server.login("reviewers", f"{name}@reviewers.test", fixtures.PASSWORD)
        self.tokens["service"] = server.login("services", "sidecar@services.test", fixtures.PASSWORD)
        self.tokens["forged"] = forged(self.tokens["bob"], self.alice["id"])
        self.patch("superuser", "reviewers", self.accounts["retired"]["id"], {"role": ""})

        self.policy = "policydefault01"
        self.alice_has = fixtures.complete_case(server, self.alice, status="needs_review", policy=self.policy)
        self.bob_has = fixtures.complete_case(server, self.bob, status="needs_review")
        self.alice_has["users"] = self.alice
        self.alice_has["reviewers"] = self.accounts["reviewer"]
        self.alice_has["services"] = self.accounts["service"]
        self.alice_has["heartbeats"] = server.make("heartbeats", {"instance": "sidecar-0", "beat": 1})
        self.alice_has["known_documents"] = server.make("known_documents", {"hash": "f" * 256, "listing": "compromised"})
        self.alice_has["policies"] = self.alice_has["live_policies"] = {"id": self.policy}
        for view in ["review_queue", "verification_overview", "cases"]:
            self.alice_has[view] = self.alice_has["verifications"]
        self.alice_has["daily_figures"] = {"id": self.alice_has["verifications"]["created"][:10]}

    def call(self, role, method, path, body=None, files=None):
        return self.server.call(method, path, body, self.tokens[role], files)

    def create(self, role, collection, body, files=None):
        return self.call(role, "POST", records(collection), body, files)

    def patch(self, role, collection, record, body, files=None):
        return self.call(role, "PATCH", records(collection, record), body, files)

    def read(self, collection, record):
        """A record as it is stored."""
        status, answer = self.call("superuser", "GET", records(collection, record))
        return answer if status == 200 else None

    def open_case(self, name="alice"):
        """A new verification of that person that still accepts evidence."""
        return fixtures.case(self.server, self.accounts[name])

    def fields(self, collection):
        """The names of a collection's fields as the server has them, without id and autodates."""
        _, answer = self.call("superuser", "GET", f"/api/collections/{collection}")
        return [f["name"] for f in answer["fields"] if f["name"] != "id" and f["type"] != "autodate"]


def forged(token, record):
    """The same token claiming to be another record, with the old signature."""
    head, claims, signature = token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    encoded = base64.urlsafe_b64encode(json.dumps({**decoded, "id": record}).encode()).decode().rstrip("=")
    return f"{head}.{encoded}.{signature}"


def shown(body):
    return (body if isinstance(body, str) else repr(body))[:300]
