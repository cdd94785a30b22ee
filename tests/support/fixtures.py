"""Records for tests: identities, and a case with one record of every kind that belongs to it."""

import itertools
import struct
import zlib

from pocketbase import records

PASSWORD = "twelve-or-more-letters"
_numbers = itertools.count(1)


def number():
    """A number that no other record of this run uses."""
    return next(_numbers)


def png(width=8, height=8):
    """A small grey picture."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([(13 * y) % 256] * width) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def account(**fields):
    return {"password": PASSWORD, "passwordConfirm": PASSWORD, **fields}


def event_id():
    return f"{1_700_000_000_000 + number()}.abcDEF"


def picture(name="front"):
    return {name: (f"{name}.png", png())}


def person(server, name):
    """A user with an address of their own, that is, one who signed up without a partner's reference."""
    return server.make("users", account(email=f"{name}@people.test", name=name))


def case(server, user, **fields):
    """A verification of `user`."""
    return server.make("verifications", {"user": user["id"], "declared_name": user["name"], **fields})


def complete_case(server, user, **fields):
    """A verification of `user` with one record of every collection that belongs to it, by collection name."""
    verification = case(server, user, **fields)
    of = {"verification": verification["id"]}
    made = {"verifications": verification}
    made["documents"] = server.make("documents", {**of, "type": "passport"}, files={**picture(), **picture("back")})
    made["liveness_sessions"] = server.make("liveness_sessions", {**of, "status": "open", "session_id": f"s-{number()}"})
    made["device_signals"] = server.make("device_signals", {**of, "event_id": event_id(), "stage": "start"})
    made["actions"] = server.make("actions", {**of, "action": "cancel", "user": user["id"]})
    made["checks"] = server.make(
        "checks",
        {**of, "kind": "document", "attempt": 1, "outcome": "review", "scores": {"similarity": 97.5}},
        files=picture("portrait"),
    )
    made["document_hashes"] = server.make("document_hashes", {**of, **hashes(number())})
    made["journal"] = server.make("journal", {**of, "seq": 1, "event": "started", "data": {}, "hash": "0" * 64})
    endpoint = server.make("webhook_endpoints", endpoint_fields())
    made["webhook_endpoints"] = endpoint
    made["webhook_deliveries"] = server.make(
        "webhook_deliveries",
        {**of, "endpoint": endpoint["id"], "seq": 1, "event": "verification.approved", "status": "pending"},
    )
    return made


def hashes(n):
    """The hashes of a document."""
    return {"number": f"{n:064x}", "picture": f"{n:0256x}", **{f"band_{band}": f"{n:018x}" for band in range(8)}}


def endpoint_fields():
    return {
        "name": f"endpoint {number()}",
        "url": "https://hooks.test/identivia",
        "secret": "whsec_0123456789abcdef0123",
        "events": ["approved"],
        "enabled": True,
    }


def count(server, collection):
    """How many records a collection holds."""
    status, answer = server.call("GET", records(collection) + "?perPage=1", token=server.superuser)
    if status != 200:
        raise SystemExit(f"could not list {collection}: {status} {answer}")
    return answer["totalItems"]
