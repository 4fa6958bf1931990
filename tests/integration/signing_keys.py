"""A project that signs sessions with keys of its own, and serves its key set."""

import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from sessions import b64url


def number(value, size=None):
    return b64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class EcKey:
    algorithm = "ES256"

    def __init__(self, kid, curve=None):
        self.kid = kid
        self.private = ec.generate_private_key(curve or ec.SECP256R1())

    def jwk(self, **changes):
        point = self.private.public_key().public_numbers()
        size = (self.private.curve.key_size + 7) // 8
        return {"kty": "EC", "kid": self.kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "crv": "P-256",
                "x": number(point.x, size), "y": number(point.y, size), **changes}

    def sign(self, data):
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class RsaKey:
    algorithm = "RS256"

    def __init__(self, kid, bits=2048):
        self.kid = kid
        self.private = rsa.generate_private_key(65537, bits)

    def jwk(self, **changes):
        public = self.private.public_key().public_numbers()
        return {"kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig", "key_ops": ["verify"],
                "n": number(public.n), "e": number(public.e), **changes}

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def token(key, payload, **header):
    signed = b64url(json.dumps({"alg": key.algorithm, "kid": key.kid, "typ": "JWT", **header})) + "." + b64url(json.dumps(payload))
    return signed + "." + b64url(key.sign(signed.encode()))


def pem(key):
    """A public key as everybody has it."""
    return key.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class KeySet:
    """Serves `/auth/v1/.well-known/jwks.json`. `broken`: bytes to answer in its place, or a status."""

    def __init__(self, *keys):
        self.keys = [key if isinstance(key, dict) else key.jwk() for key in keys]
        self.fetches = 0
        self.broken = None
        self.delay = 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.fetches += 1
                time.sleep(owner.delay)
                body = json.dumps({"keys": owner.keys}).encode()
                status = 200
                if isinstance(owner.broken, int):
                    status = owner.broken
                elif owner.broken is not None:
                    body = owner.broken
                if self.path != "/auth/v1/.well-known/jwks.json":
                    status = 404
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", "public, max-age=600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
