"""Dashboard sessions made by the tests: tokens as Supabase signs them, and its cookie."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

PROJECT = "https://abcdefghijklmnopqrst.supabase.co"
SECRET = "a-secret-of-the-tests-that-is-long-enough-0123456789"
COOKIE = "sb-abcdefghijklmnopqrst-auth-token"
SETTINGS = {"supabase.url": PROJECT, "supabase.jwt_secret": SECRET}
ANN = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"


def b64url(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(user=ANN, project=PROJECT, **changes):
    """The claims of a good session; a change to None leaves a claim out."""
    now = int(time.time())
    all_claims = {"iss": project + "/auth/v1", "sub": user, "aud": "authenticated", "exp": now + 3600, "iat": now,
                  "role": "authenticated", "aal": "aal1", "session_id": "33333333-3333-4333-8333-333333333333",
                  "email": "someone@example.com", "is_anonymous": False, **changes}
    return {name: value for name, value in all_claims.items() if value is not None}


def hs256(payload, secret=SECRET, header=None):
    """A token signed with the project's secret."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed = b64url(json.dumps(header)) + "." + b64url(json.dumps(payload))
    return signed + "." + b64url(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def session_json(token, **members):
    return json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600,
                       "expires_at": int(time.time()) + 3600, "refresh_token": "r3fr35h", **members})


def cookie_value(token):
    return "base64-" + b64url(session_json(token))


def raw_cookie_value(token):
    return urllib.parse.quote(session_json(token), safe="")


def cookie(token, name=COOKIE):
    """The header line of a session."""
    return f"Cookie: {name}={cookie_value(token)}"


def signed_in(user=ANN, **changes):
    """The Cookie line of a user's good session."""
    return cookie(hs256(claims(user, **changes)))
