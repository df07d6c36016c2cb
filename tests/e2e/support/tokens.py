"""Own keys and issuers: JSON Web Keys of every kind, tokens, and an OIDC discovery server."""
import base64
import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://issuer.example"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
              "EdDSA"]
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


class Key:
    """A key pair with the `kid` and public members that a JWKS shows."""

    def __init__(self, algorithm, kid=None, **members):
        self.algorithm = algorithm
        self.kid = kid or algorithm.lower()
        if algorithm[:2] in ("RS", "PS"):
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif algorithm in CURVES:
            self.private = ec.generate_private_key(CURVES[algorithm]())
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()
        self.members = {"use": "sig", "alg": algorithm} | members

    @property
    def jwk(self):
        codec = jwt.get_algorithm_by_name(self.algorithm)
        public = json.loads(codec.to_jwk(self.private.public_key()))
        public.pop("key_ops", None)
        shown = public | {"kid": self.kid} | self.members
        return {name: value for name, value in shown.items() if value is not None}

    def sign(self, claims, algorithm=None, headers=None):
        algorithm = algorithm or self.algorithm
        header = {"kid": self.kid, **(headers or {})}
        return jwt.encode(claims, self.private, algorithm, {k: v for k, v in header.items() if v})


def claims(**changes):
    """Claims that pass; a change to None leaves the claim out."""
    now = int(time.time())
    usual = {"iss": ISSUER, "sub": "alice", "aud": "sluice", "iat": now, "exp": now + 3600}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def jwks(*keys):
    return json.dumps({"keys": [key.jwk for key in keys]})


def encode_part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header, payload, signature=b""):
    """A token put together by hand, for what a proper library refuses to make."""
    return ".".join(map(encode_part, (header, payload, signature)))


class Discovery:
    """An OIDC issuer on loopback: a discovery document and a JWKS that tests may change."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.fetched = []
        self.failing = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.get(self)

            def do_POST(self):
                status, document = outer.post(self)
                outer.answer(self, status, json.dumps(document))

            def log_message(self, *_):
                """Silent: the tests look at `fetched`."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.jwks_uri = self.issuer + "/keys"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def document(self):
        return {"issuer": self.issuer, "jwks_uri": self.jwks_uri}

    def get(self, handler):
        self.fetched.append(handler.path)
        documents = {"/.well-known/openid-configuration": json.dumps(self.document), "/keys": jwks(*self.keys)}
        body = documents.get(handler.path, "")
        self.answer(handler, 200 if body and not self.failing else 500, body)

    def post(self, _):
        """Issuers that hand out tokens are in identity.py."""
        return 404, {}

    @staticmethod
    def answer(handler, status, body):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
