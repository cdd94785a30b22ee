"""What only a superuser may do, tried by every other role."""

import fixtures
from world import ROLES

PRIVILEGED = [
    ("GET", "/api/collections", None),
    ("GET", "/api/collections/checks", None),
    ("POST", "/api/collections", {"name": "mine", "type": "base"}),
    ("PATCH", "/api/collections/checks", {"listRule": ""}),
    ("DELETE", "/api/collections/checks/truncate", None),
    ("DELETE", "/api/collections/checks", None),
    ("PUT", "/api/collections/import", {"collections": []}),
    ("GET", "/api/settings", None),
    ("PATCH", "/api/settings", {"batch": {"enabled": False}}),
    ("GET", "/api/logs", None),
    ("GET", "/api/logs/stats", None),
    ("GET", "/api/backups", None),
    ("POST", "/api/backups", {"name": "mine.zip"}),
    ("GET", "/api/crons", None),
    ("POST", "/api/sql", {"query": "SELECT 1"}),
    ("GET", "/api/collections/_superusers/records", None),
    ("POST", "/api/collections/_superusers/records", fixtures.account(email="mine@root.test")),
    ("GET", "/api/collections/_externalAuths/records", None),
    ("GET", "/api/collections/_mfas/records", None),
    ("GET", "/api/collections/_otps/records", None),
]


def run(world):
    for role in ROLES:
        if role == "superuser":
            continue
        for method, path, body in PRIVILEGED:
            status, answer = world.call(role, method, path, body)
            empty = status == 200 and isinstance(answer, dict) and answer.get("items") == []
            claim = f"{role} may not {method} {path}"
            world.report.check(empty or 400 <= status < 500, claim, f"answered {status}: {str(answer)[:200]}")
    sign_up_is_closed(world)


def sign_up_is_closed(world):
    """Apart from creation, no request makes a record of an auth collection or a token."""
    for collection in ["users", "reviewers", "services"]:
        for way, body in [
            ("request-otp", {"email": "bob@people.test"}),
            ("auth-with-otp", {"otpId": "x", "password": "123456"}),
            ("auth-with-oauth2", {"provider": "google", "code": "x", "codeVerifier": "x", "redirectURL": "https://x.test"}),
        ]:
            answer = world.call("guest", "POST", f"/api/collections/{collection}/{way}", body)
            world.report.refused(answer, f"{collection} has no {way}")
        status, methods = world.call("guest", "GET", f"/api/collections/{collection}/auth-methods")
        ways = [way for way in ["otp", "oauth2", "mfa"] if methods[way]["enabled"]]
        world.report.check(status == 200 and not ways, f"{collection} signs in by password only", f"also {ways}")
