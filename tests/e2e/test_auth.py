"""Contract §2: tokens, keys, issuers, and who may do what."""
import base64
import re
import stat
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from support import tokens
from support.catalogue import BASE, LINES, SHELL
from support.client import argv
from support.platform import VERBS
from support.rawws import Closed
from support.tokens import ISSUER, Key, claims
from support.waiting import eventually

STATUS = BASE + "/status"
BEARER = "base64url.bearer.authorization.k8s.io."
ENDPOINTS = {"status": ("status", {}), "logs": ("logs", {}),
             "exec": ("exec", {"command": argv("true")}), "attach": ("attach", {}),
             "port-forward": ("port-forward", {"port": "1"})}


def assert_unauthorized(answer):
    assert answer.status == 401, answer
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="invalid_token"' in challenge
    assert 'error_description="' in challenge
    assert answer.json["code"] == 401


def status_with(client, token):
    return client.get(STATUS, headers={"Authorization": f"Bearer {token}"})


# --- the header ---


@pytest.mark.parametrize("value", [
    None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b", "Bearer a.b.c",
    "Bearer a.b.c.d", "Bearer ...", "Token abc"])
def test_missing_or_malformed_token_is_401(client, value):
    headers = {} if value is None else {"Authorization": value}
    assert_unauthorized(client.as_user(None).get(STATUS, headers=headers))


@pytest.mark.parametrize("endpoint", ["logs", "exec", "attach", "port-forward"])
def test_missing_token_is_401_before_any_upgrade(client, endpoint):
    assert_unauthorized(client.as_user(None).refused(LINES.path(endpoint), ENDPOINTS[endpoint][1]))


@pytest.mark.parametrize("field", ["Impersonate-User", "impersonate-group", "Impersonate-Extra-scopes"])
def test_a_request_in_the_name_of_somebody_else_is_refused(client, field):
    answer = client.get(LINES.path("status"), headers={field: "bob"})
    assert answer.status == 400
    assert "Impersonate-" in answer.json["message"]
    assert_unauthorized(client.as_user(None).get(STATUS, headers={field: "bob"}))


def test_scheme_is_case_insensitive(client):
    answer = client.as_user(None).get(STATUS, headers={"Authorization": f"bearer {client.token}"})
    assert answer.status == 200


@pytest.mark.parametrize("field", ["access_token", "token", "authorization"])
def test_tokens_in_the_query_string_are_refused(client, field):
    assert_unauthorized(client.as_user(None).get(STATUS, {field: client.token}))


def test_the_token_is_in_no_message(client):
    token = client.token[:-4] + "AAAA"
    answer = status_with(client, token)
    assert_unauthorized(answer)
    assert token.split(".")[1] not in str(answer.headers) + answer.body.decode()


# --- what a token must hold (an issuer with keys of our own, by jwksFile) ---


@pytest.mark.parametrize("change, allowed", [
    ({}, True), ({"iss": "https://other.example"}, False), ({"iss": ISSUER + "/"}, False),
    ({"iss": None}, False), ({"aud": "other"}, False), ({"aud": None}, False),
    ({"aud": ["other", "sluice"]}, True), ({"aud": []}, False), ({"exp": None}, False),
    ({"exp": "never"}, False), ({"sub": None}, False)])
def test_claims(client, platform, change, allowed):
    answer = status_with(client, platform.key.sign(claims(**change)))
    if allowed:
        assert answer.status == 200
    else:
        assert_unauthorized(answer)


@pytest.mark.parametrize("claim, offset, allowed", [
    ("exp", -120, False), ("nbf", 10, True), ("nbf", 120, False), ("iat", 10, True),
    ("iat", 120, False)])
def test_times_have_a_leeway_of_30_s(client, platform, claim, offset, allowed):
    token = platform.key.sign(claims(**{claim: int(time.time()) + offset}))
    assert (status_with(client, token).status == 200) == allowed


def test_leeway_is_configurable(serve, tmp_path):
    key = Key("ES256")
    client = issuer_server(serve, tmp_path, [key], leeway="0s")
    assert status_with(client, key.sign(claims(nbf=int(time.time()) + 25))).status == 401


def test_bad_signature_is_401(client, platform):
    other = Key("ES256", kid=platform.key.kid)
    assert_unauthorized(status_with(client, other.sign(claims())))


def test_altered_claims_are_401(client, platform):
    head, _, signature = platform.key.sign(claims()).split(".")
    forged = ".".join([head, tokens.encode_part(claims(sub="root")), signature])
    assert_unauthorized(status_with(client, forged))


def test_critical_header_not_understood_is_401(client, platform):
    token = platform.key.sign(claims(), headers={"crit": ["x"], "x": 1})
    assert_unauthorized(status_with(client, token))


# --- algorithms ---


def issuer_server(serve, folder, keys, leeway=None, **issuer):
    (folder / "keys.json").write_text(tokens.jwks(*keys))
    entry = {"issuer": ISSUER, "audiences": ["sluice"], "jwksFile": str(folder / "keys.json")}
    auth = {"issuers": [entry | issuer]} | ({"leeway": leeway} if leeway else {})
    return serve(LINES, auth=auth)


def test_every_listed_algorithm_verifies(serve, tmp_path):
    keys = [Key(algorithm) for algorithm in tokens.ALGORITHMS]
    client = issuer_server(serve, tmp_path, keys)
    answers = {key.algorithm: status_with(client, key.sign(claims())).status for key in keys}
    assert answers == {algorithm: 200 for algorithm in tokens.ALGORITHMS}


def test_rsa_key_without_alg_verifies_rs_and_ps_by_the_header(serve, tmp_path):
    key = Key("RS256", alg=None)
    client = issuer_server(serve, tmp_path, [key])
    for algorithm in ("RS256", "RS512", "PS256"):
        assert status_with(client, key.sign(claims(), algorithm)).status == 200


def test_never_none(client, platform):
    for name in ("none", "None", "NONE", ""):
        header = {"alg": name, "kid": platform.key.kid, "typ": "JWT"}
        assert_unauthorized(status_with(client, tokens.unsigned(header, claims())))


def test_never_hmac_with_a_public_key(serve, tmp_path):
    key = Key("RS256", alg=None)
    client = issuer_server(serve, tmp_path, [key])
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "kid": key.kid}
    signing_input = tokens.unsigned(header, claims()).rsplit(".", 1)[0]
    codec = jwt.get_algorithm_by_name("HS256")
    signature = codec.sign(signing_input.encode(), pem)
    forged = signing_input + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert_unauthorized(status_with(client, forged))


@pytest.mark.parametrize("members, used", [
    ({"alg": "RS256"}, "RS512"), ({"alg": "PS256"}, "RS256"), ({"alg": "ES256"}, "RS256"),
    ({"use": "enc", "alg": None}, "RS256"), ({"key_ops": ["encrypt"], "alg": None}, "RS256")])
def test_alg_must_fit_the_keys_type_and_its_alg_use_key_ops(serve, tmp_path, members, used):
    key = Key("RS256", "odd", **members)
    client = issuer_server(serve, tmp_path, [key, Key("ES256")])
    assert_unauthorized(status_with(client, key.sign(claims(), used)))


def test_alg_must_fit_the_curve(serve, tmp_path):
    key = Key("ES384", alg=None)
    client = issuer_server(serve, tmp_path, [key])
    head = {"alg": "ES256", "kid": key.kid}
    good = key.sign(claims())
    forged = tokens.encode_part(head) + "." + good.split(".", 1)[1]
    assert_unauthorized(status_with(client, forged))


# --- keys that change ---


def test_jwks_file_is_reread_as_soon_as_it_changes(serve, tmp_path):
    first, second = Key("ES256", "first"), Key("ES256", "second")
    client = issuer_server(serve, tmp_path, [first])
    assert status_with(client, second.sign(claims())).status == 401
    (tmp_path / "keys.json").write_text(tokens.jwks(second))
    eventually(lambda: status_with(client, second.sign(claims())).status == 200, "the new key")
    old = first.sign(claims(jti="not cached"))
    eventually(lambda: status_with(client, old).status == 401, "the old key is gone")


def test_broken_jwks_file_leaves_the_old_keys_in_force(serve, tmp_path):
    key = Key("ES256")
    client = issuer_server(serve, tmp_path, [key])
    (tmp_path / "keys.json").write_text("{ broken")
    eventually(lambda: "keys.json" in client.server.output, "a log line about the file")
    assert status_with(client, key.sign(claims())).status == 200


@pytest.mark.parametrize("way", ["discovery", "jwksUri"])
def test_jwks_by_oidc_discovery_or_url(serve, discovery, way):
    issuer = {"issuer": discovery.issuer}
    if way == "jwksUri":
        issuer["jwksUri"] = discovery.jwks_uri
    client = serve(LINES, auth={"issuers": [issuer]})
    token = discovery.keys[0].sign(claims(iss=discovery.issuer))
    eventually(lambda: status_with(client, token).status == 200, "keys fetched")
    assert ("/.well-known/openid-configuration" in discovery.fetched) == (way == "discovery")


def test_unknown_kid_refetches_at_most_once_a_minute(serve, discovery):
    client = serve(LINES, auth={"issuers": [{"issuer": discovery.issuer}]})
    token = discovery.keys[0].sign(claims(iss=discovery.issuer))
    eventually(lambda: status_with(client, token).status == 200, "keys fetched")
    first = discovery.fetched.count("/keys")
    added = Key("ES256", "added")
    discovery.keys.append(added)
    eventually(lambda: status_with(client, added.sign(claims(iss=discovery.issuer))).status == 200,
               "an unknown kid fetches the keys")
    for number in range(10):
        stranger = Key("ES256", f"stranger{number}")
        assert_unauthorized(status_with(client, stranger.sign(claims(iss=discovery.issuer))))
    assert discovery.fetched.count("/keys") == first + 1


def test_first_fetch_is_retried_after_a_failure(serve, discovery):
    discovery.failing = True
    client = serve(LINES, auth={"issuers": [{"issuer": discovery.issuer}]})
    token = discovery.keys[0].sign(claims(iss=discovery.issuer))
    eventually(lambda: discovery.fetched, "a first fetch")
    assert status_with(client, token).status != 200
    discovery.failing = False
    eventually(lambda: status_with(client, token).status == 200, "a retry within seconds")


def test_background_refresh_notices_a_rotation_without_an_unknown_kid(serve, discovery):
    """§10 jwksRefresh: the new key has the old one's kid, so only a refresh can tell."""
    auth = {"issuers": [{"issuer": discovery.issuer}], "jwksRefresh": "1s"}
    client = serve(LINES, auth=auth)
    old = discovery.keys[0].sign(claims(iss=discovery.issuer))
    eventually(lambda: status_with(client, old).status == 200, "keys fetched")
    discovery.keys = [rotated := Key("ES256", discovery.keys[0].kid)]
    eventually(lambda: status_with(client, old).status == 401, "the old key is gone")
    new = rotated.sign(claims(iss=discovery.issuer))
    # Each loop of the server learns of it in its own time.
    eventually(lambda: status_with(client, new).status == 200, "the new key")


def test_refresh_that_fails_leaves_the_old_keys_in_force(serve, discovery):
    auth = {"issuers": [{"issuer": discovery.issuer}], "jwksRefresh": "1s"}
    client = serve(LINES, auth=auth)
    token = discovery.keys[0].sign(claims(iss=discovery.issuer))
    eventually(lambda: status_with(client, token).status == 200, "keys fetched")
    discovery.failing = True
    eventually(lambda: "the old ones stay in force" in client.server.output, "a failed refresh")
    assert status_with(client, token).status == 200
    fresh = discovery.keys[0].sign(claims(iss=discovery.issuer, jti="not cached"))
    assert status_with(client, fresh).status == 200


def test_claim_names_for_user_and_groups_are_configurable(serve, tmp_path):
    key = Key("ES256")
    client = issuer_server(serve, tmp_path, [key],
                           claims={"user": "preferred_username", "groups": "roles"})
    as_user = key.sign(claims(sub="x", preferred_username="alice"))
    in_group = key.sign(claims(sub="x", preferred_username="bob", roles=["ml"]))
    usual_names = key.sign(claims(sub="alice", groups=["ml"], preferred_username="bob"))
    for token, expected in [(as_user, 200), (in_group, 200), (usual_names, 403)]:
        answer = client.as_user(token).get(LINES.path("status"))
        assert answer.status == expected


# --- the development issuer ---


def test_development_token_lasts_an_hour_unless_ttl_says_otherwise(client):
    payload = jwt.decode(client.token, options={"verify_signature": False})
    assert payload["sub"] == "alice"
    assert payload["exp"] - payload["iat"] == 3600


@pytest.mark.local
def test_development_key_is_in_state_dir_with_mode_0600(platform):
    state = platform.server.folder / "state"
    private = [path for path in state.iterdir() if path.is_file()
               and re.search(rb'PRIVATE|"d" *:', path.read_bytes())]
    assert private, list(state.iterdir())
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_expired_development_token_is_401(platform, client):
    token = platform.server.token(ttl="1s")
    eventually(lambda: status_with(client, token).status == 401, "expiry, also of a cached token")


# --- browsers ---


def bearer_protocol(token):
    return BEARER + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def test_browser_offers_the_token_as_subprotocol_and_it_is_never_echoed(client):
    anonymous = client.as_user(None)
    offered = [bearer_protocol(client.token), "binary.k8s.io"]
    with anonymous.open(LINES.path("logs"), subprotocols=offered) as session:
        assert session.subprotocol == "binary.k8s.io"
        assert session.message() == b"line 1\n"


def test_bearer_subprotocol_alone_is_400_naming_the_known(client):
    answer = client.as_user(None).refused(LINES.path("logs"),
                                          subprotocols=[bearer_protocol(client.token)])
    assert answer.status == 400
    assert "binary.k8s.io" in answer.message


def test_bad_bearer_subprotocol_is_401(client):
    anonymous = client.as_user(None)
    for value in (bearer_protocol("nonsense"), BEARER + "%%%", BEARER):
        answer = anonymous.refused(LINES.path("logs"), subprotocols=[value, "binary.k8s.io"])
        assert answer.status == 401


# --- permission ---


@pytest.mark.parametrize("verb", VERBS)
def test_authorisation_is_per_verb(platform, verb):
    user = platform.user(f"only-{verb}")
    for name, (endpoint, query) in ENDPOINTS.items():
        answer = user.get(LINES.path(endpoint), query)
        assert (answer.status == 403) == (name != verb), (name, answer)


def test_logs_verb_covers_the_download(platform):
    assert platform.user("only-logs").get(LINES.path("logs/download")).status == 200
    assert platform.user("only-exec").get(LINES.path("logs/download")).status == 403


def test_group_of_the_token_counts(platform):
    assert platform.user("carol", ("ml",)).get(LINES.path("status")).status == 200
    assert platform.user("carol", ("other",)).get(LINES.path("status")).status == 403


def test_authorisation_is_per_project(client):
    answer = client.get(LINES.named(project="project2").path("status"))
    assert (answer.status, answer.json["code"]) == (403, 403)


def test_user_rule_does_not_match_a_group_of_that_name(platform):
    assert platform.user("ml", ("alice",)).get(LINES.path("status")).status == 403


def test_star_is_allowed_in_subjects_and_projects(serve):
    rules = [{"subjects": ["*"], "projects": ["*"], "verbs": ["status"]}]
    client = serve(LINES, authorization={"mode": "policy", "rules": rules})
    bob = client.as_user(client.server.token("bob"))
    assert bob.get(LINES.path("status")).status == 200
    assert bob.get(LINES.path("logs")).status == 403


def test_caller_without_permission_cannot_tell_what_exists(platform):
    stranger = platform.user("stranger")
    there = stranger.get(SHELL.path("exec"), {"command": argv("true")})
    missing = stranger.get(SHELL.named(name="thing").path("exec"), {"command": argv("true")})
    assert there.status == missing.status == 403
    assert there.body.replace(b"shell", b"thing") == missing.body


# --- order of checks ---


def test_order_path_before_token(client):
    anonymous = client.as_user(None)
    assert anonymous.get(BASE + "/nothing").status == 404
    assert anonymous.get(STATUS, method="POST").status == 405


def test_order_token_before_path_and_query_syntax(client):
    anonymous = client.as_user(None)
    assert anonymous.get(LINES.named(name="A_B").path("status")).status == 401
    assert anonymous.get(LINES.path("logs"), "tailLines=x").status == 401


def test_order_syntax_before_permission(platform):
    stranger = platform.user("stranger")
    assert stranger.get(LINES.named(name="A_B").path("status")).status == 400
    assert stranger.get(LINES.path("logs"), "tailLines=x").status == 400


def test_order_permission_before_upgrade_required(platform):
    assert platform.user("stranger").get(LINES.path("logs")).status == 403


def test_order_upgrade_required_before_existence(client):
    assert client.get(LINES.named(name="missing").path("logs")).status == 426


# --- the end of a token ---


@pytest.fixture
def expiring(platform, client):
    """(alice's client, when its token expires): time to open a session is left, for the token is made here."""
    expires = int(time.time()) + 4
    return client.as_user(platform.key.sign(claims(exp=expires))), expires


def test_stream_that_outlives_its_token_is_closed_with_1008_at_exp(expiring):
    client, expires = expiring
    with client.open(SHELL.path("logs"), "follow=true") as session:
        assert session.read_close() == Closed(1008, "token expired")
    assert -0.1 <= time.time() - expires <= 5  # by the clock of a machine that others use, too


def test_exec_that_outlives_its_token_is_closed_with_1008(expiring):
    client, _ = expiring
    assert client.run(SHELL, "sleep", "60")[1] == Closed(1008, "token expired")
