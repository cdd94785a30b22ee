"""What is lost when the service is killed in the middle and started again at once.

The people here are patient: what PocketBase did not take they send again under the same id until it is stored. What is stored
they do not send again, so a verification that is never decided is one that the service forgot.
"""

import collections
import http.client
import threading
import time

import pocketbase

WALKERS = 50
# The model takes this long, and the service is killed when it was asked about half of the documents.
THINKING_MS, ASKED = 3000, WALKERS // 2
# Counted from the restart.
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 1
BEFORE_THE_BLOW_SECONDS = 120
DECLARED = {
    "declared_name": "Anna Maria Eriksson",
    "declared_date_of_birth": "1990-08-12",
    "declared_document_type": "passport",
    "declared_document_number": "L898902C7",
    "declared_country": "UTO",
}


class GivenUp(Exception):
    """The time limit is reached."""


class Patience:
    """The time limit of a crowd: none, until `end_in` sets one."""

    def __init__(self):
        self.deadline = float("inf")

    def end_in(self, seconds):
        self.deadline = time.monotonic() + seconds

    def pause(self):
        if time.monotonic() > self.deadline:
            raise GivenUp
        time.sleep(PAUSE_SECONDS)


def count(server, sandbox, victim, picture):
    """Kills `victim` in the middle of this many verifications; how many were never decided, and which calls were repeated."""
    sandbox.control("DELETE", "journal")
    sandbox.control("POST", "faults", {"provider": "openai", "fault": "delay", "ms": THINKING_MS, "times": 0})
    patience = Patience()
    crowd = [Walker(server, sandbox, picture, number, patience) for number in range(WALKERS)]
    try:
        for walker in crowd:
            walker.start()
        strike(sandbox)
        began = time.monotonic()
        victim.kill()
        victim.start()
        victim.ready()
        patience.end_in(PATIENCE_SECONDS)
        for walker in crowd:
            walker.join()
        done = [walker.decided for walker in crowd if walker.decided]
        return {
            "walkers": WALKERS,
            "undecided": WALKERS - len(done),
            "stopped_at": collections.Counter(walker.at for walker in crowd if not walker.decided),
            "last_decision_s": max(done) - began if done else None,
            "calls_again": calls_again(sandbox),
            "calls": dict(calls(sandbox)),
        }
    finally:
        patience.end_in(0)
        for walker in crowd:
            if walker.ident:
                walker.join()
        sandbox.control("DELETE", "faults")


def strike(sandbox):
    """Waits for the moment."""
    deadline = time.monotonic() + BEFORE_THE_BLOW_SECONDS
    while calls(sandbox)["openai"] < ASKED:
        if time.monotonic() > deadline:
            raise SystemExit("the model was not asked often enough to kill anybody in the middle")
        time.sleep(PAUSE_SECONDS / 20)


def calls(sandbox):
    """Paid calls so far, by operation and by provider."""
    made = collections.Counter()
    for entry in sandbox.control("GET", "journal")["entries"]:
        if entry["operation"] != "CreateFaceLivenessSession":  # repeated with the same token it is the same session
            made[entry["operation"]] += 1
            made[entry["provider"]] += 1
    return made


def calls_again(sandbox):
    """Paid calls beyond one of each kind per verification; a lower bound if some verifications were never asked about."""
    providers = {"openai", "rekognition", "fingerprint", "sts"}
    return sum(max(0, number - WALKERS) for what, number in calls(sandbox).items() if what not in providers)


class Walker(threading.Thread):
    """A person with everything at hand, who looks only at their own records."""

    def __init__(self, server, sandbox, picture, number, patience):
        super().__init__(daemon=True)
        self.server, self.sandbox, self.picture, self.patience = server, sandbox, picture, patience
        self.ids = {name: f"{name[0]}{number:014d}" for name in ("verification", "signal", "document", "session", "action")}
        self.at, self.decided = "start", None

    def run(self):
        try:
            self.walk()
        except GivenUp:
            pass

    def walk(self):
        case = self.ids["verification"]
        self.store("verification", "verifications", DECLARED | {"user": self.server.person["id"]})
        event = self.sandbox.control("POST", "fingerprint/events", {"linked_id": case, "url": "http://127.0.0.1/verify"})
        self.store("signal", "device_signals", {"verification": case, "event_id": event["event_id"], "stage": "start"})
        front = {"front": ("front.jpg", self.picture)}
        self.store("document", "documents", {"verification": case, "type": "passport", "country": "UTO"}, front)
        self.store("session", "liveness_sessions", {"verification": case})
        session = self.look("liveness_sessions", self.ids["session"], lambda record: record["session_id"])
        self.sandbox.control("POST", f"liveness/{session['session_id']}", {"outcome": "pass", "person": "anna"})
        done = {"verification": case, "action": "liveness_completed", "liveness_session": self.ids["session"]}
        self.store("action", "actions", done | {"user": self.server.person["id"]})
        self.look("verifications", case, lambda record: record["final"])
        self.decided = time.monotonic()

    def store(self, name, collection, body, files=None):
        """Repeats the request until it is stored."""
        self.at = name
        body = body | {"id": self.ids[name]}
        while True:
            status, _ = self.ask("POST", pocketbase.records(collection), body, files)
            if status == 200 or self.ask("GET", pocketbase.records(collection, self.ids[name]))[0] == 200:
                return
            self.patience.pause()

    def look(self, collection, record, good):
        self.at = f"waiting for {collection}"
        while True:
            status, found = self.ask("GET", pocketbase.records(collection, record))
            if status == 200 and good(found):
                return found
            self.patience.pause()

    def ask(self, method, path, body=None, files=None):
        try:
            return self.server.call(method, path, body, self.server.person_token, files)
        except (OSError, http.client.HTTPException):
            return 0, None
