"""Contract §2 under attack: RFC 8725 (best current practices of JSON Web Tokens) through the running server. The whole
list is with the code that verifies: src/auth/jwt_attacks_test.cc and jwt_confusion_test.cc."""
import base64
import json
import select
import socket

import pytest

from support import tokens
from support.catalogue import BASE, LINES
from support.httpclient import raw_request
from support.tokens import Discovery, Key, claims
from support.waiting import eventually

STATUS = BASE + "/status"
BEARER = "base64url.bearer.authorization.k8s.io."


def status_of(client, token):
    return client.as_user(token).get(STATUS).status


def with_signature(key, payload, signature):
    header = {"alg": key.algorithm, "kid": key.kid}
    return tokens.unsigned(header, payload, signature)


@pytest.fixture
def hideout():
    """A port of the attacker's, which nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert select.select([listening], [], [], 0)[0] == [], "somebody came"


def test_3_3_signature_of_zeros_is_refused(platform, client):  # CVE-2022-21449
    for signature in (bytes(64), bytes(63) + b"\1", b""):
        assert status_of(client, with_signature(platform.key, claims(), signature)) == 401


def test_3_10_keys_in_the_header_are_ignored_and_their_addresses_never_fetched(platform, client, hideout):
    own, genuine = Key("ES256", kid=platform.key.kid), platform.key
    addresses = {"jku": hideout + "/keys", "x5u": hideout + "/certificate", "jwk": own.jwk}
    for header in (addresses, {"kid": hideout}, *({name: value} for name, value in addresses.items())):
        assert status_of(client, own.sign(claims(), headers=header)) == 401
    for name, value in addresses.items():
        assert status_of(client, genuine.sign(claims(), headers={name: value})) == 200


@pytest.mark.parametrize("kid", ["../../../../dev/null", "/proc/self/environ", "' OR 1=1 --", "a\0b", "k" * 8000, "|id",
                                 "\r\nX: y", "\x1b[31m"])
def test_3_10_kid_is_only_compared(platform, client, kid):
    assert status_of(client, Key("ES256", kid=kid).sign(claims())) == 401
    assert status_of(client, platform.key.sign(claims(), headers={"kid": kid})) == 401
    assert status_of(client, client.token) == 200


def test_3_8_key_of_one_issuer_is_none_of_anothers(serve):
    one, other = Discovery(Key("ES256", "same")), Discovery(Key("ES256", "same"))
    try:
        client = serve(LINES, auth={"issuers": [{"issuer": one.issuer}, {"issuer": other.issuer}]})
        for issuer in (one, other):
            token = issuer.keys[0].sign(claims(iss=issuer.issuer))
            eventually(lambda good=token: status_of(client, good) == 200, "keys fetched")
        assert status_of(client, one.keys[0].sign(claims(iss=other.issuer))) == 401
        assert status_of(client, other.keys[0].sign(claims(iss=one.issuer))) == 401
    finally:
        one.stop()
        other.stop()


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", "application/logout+jwt"])
def test_3_11_tokens_of_another_kind_are_refused(platform, client, kind):
    answer = client.as_user(platform.key.sign(claims(), headers={"typ": kind})).get(STATUS)
    assert answer.status == 401
    assert "typ" in answer.headers["www-authenticate"]


def test_3_11_access_tokens_say_what_they_are(platform, client):
    for kind in ("JWT", "at+jwt", "application/at+jwt"):
        assert status_of(client, platform.key.sign(claims(), headers={"typ": kind})) == 200


def test_3_12_security_event_is_no_access_token(platform, client):
    assert status_of(client, platform.key.sign(claims(events={"logout": {}}))) == 401


@pytest.mark.parametrize("text", [
    lambda token: token + "=", lambda token: token.replace(".", "=."), lambda token: token + ".",
    lambda token: "." + token, lambda token: token.replace(".", ".."), lambda token: token + ".e30",
    lambda token: f'"{token}"',
    lambda token: json.dumps(dict(zip(("protected", "payload", "signature"), token.split(".")))),
    lambda token: base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")],
    ids=["padding", "padding within", "dot", "dot before", "dots", "part", "quotes", "JSON", "encoded"])
def test_2_6_other_writings_of_a_token_are_refused(client, text):
    assert status_of(client, text(client.token)) == 401


def test_oversized_tokens_are_401_and_then_431(platform, client):
    """A token has 16 KiB, all fields together 64 KiB."""
    fits = platform.key.sign(claims(x="x" * 11_000))
    assert len(fits) < 16 << 10
    assert status_of(client, fits) == 200
    assert status_of(client, platform.key.sign(claims(x="x" * 13_000))) == 401
    assert status_of(client, "a" * (60 << 10)) == 401
    assert status_of(client, "a" * (66 << 10)) == 431


def test_a_token_is_given_once_in_one_way(client):
    """RFC 6750 2."""
    offer = BEARER + base64.urlsafe_b64encode(client.token.encode()).decode().rstrip("=")
    assert client.refused(LINES.path("logs"), subprotocols=[offer, "binary.k8s.io"]).status == 401
    field = f"Authorization: Bearer {client.token}\r\n"
    head = f"GET {STATUS} HTTP/1.1\r\nHost: h\r\n{field}{field}\r\n"
    assert raw_request(client.server.address, head.encode()).status == 401
    for query in (f"access_token={client.token}", f"token={client.token}", f"%61ccess_token={client.token}"):
        assert client.as_user(None).get(STATUS, query).status == 401
