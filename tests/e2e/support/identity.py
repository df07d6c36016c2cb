"""An OpenID Connect provider on loopback that hands out tokens by every grant that `sluice login` knows."""
import base64
import urllib.parse

from support import tokens

CLIENT = "sluice-cli"
ROBOT, ROBOT_SECRET = "robot", "s3cr:et +"
USER, PASSWORD = "alice", "pass word&1"


class IdentityProvider(tokens.Discovery):
    """Who logs in is alice, or the client named robot."""

    def __init__(self):
        super().__init__(tokens.Key("ES256", "first"))
        self.asked = []  # the forms of all requests for tokens
        self.lifetime = 3600
        self.pending = 0  # how often a device is told to wait
        self.revoked = []
        self.refresh_tokens = set()

    @property
    def document(self):
        return super().document | {
            "token_endpoint": self.issuer + "/token",
            "device_authorization_endpoint": self.issuer + "/device",
            "revocation_endpoint": self.issuer + "/revoke"}

    def post(self, handler):
        size = int(handler.headers["Content-Length"])
        form = dict(urllib.parse.parse_qsl(handler.rfile.read(size).decode()))
        path = handler.path
        if path == "/token":
            self.asked.append(form)
            return self.token(form, self.client(handler, form))
        if path == "/device":
            return 200, {"device_code": "device", "user_code": "ABCD-EFGH", "interval": 1, "expires_in": 600,
                         "verification_uri": self.issuer + "/confirm"}
        if path == "/revoke":
            self.revoked.append(form["token"])
            return 200, {}
        return 404, {}

    @staticmethod
    def client(handler, form):
        """The client that the request is of; with its secret proved, by a pair."""
        scheme, _, pair = handler.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return form.get("client_id")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        return urllib.parse.unquote(name), urllib.parse.unquote(secret)

    def token(self, form, client):
        grant = form["grant_type"]
        if grant == "client_credentials" and client == (ROBOT, ROBOT_SECRET):
            return self.hand_out(ROBOT, refresh=False)
        if client != CLIENT:
            return 401, {"error": "invalid_client", "error_description": "no such client"}
        if grant == "password" and (form["username"], form["password"]) == (USER, PASSWORD):
            return self.hand_out(USER)
        if grant == "refresh_token" and form["refresh_token"] in self.refresh_tokens:
            self.refresh_tokens.remove(form["refresh_token"])  # each is good for once
            return self.hand_out(USER)
        if grant.endswith(":device_code"):
            self.pending -= 1
            return (400, {"error": "authorization_pending"}) if self.pending >= 0 else self.hand_out(USER)
        return 400, {"error": "invalid_grant", "error_description": "that is not good"}

    def hand_out(self, user, refresh=True):
        claims = tokens.claims(iss=self.issuer, sub=user)
        claims["exp"] = claims["iat"] + self.lifetime
        answer = {"access_token": self.keys[0].sign(claims), "token_type": "Bearer", "expires_in": self.lifetime}
        if refresh:
            answer["refresh_token"] = f"refresh-{len(self.asked)}"
            self.refresh_tokens.add(answer["refresh_token"])
        return 200, answer
