"""Contract §2: who may not do a thing learns nothing by asking, whatever they ask, on every endpoint there is.

Nothing but 401, 403 and what the contract has for the right caller; what is there and not yours is answered as what is
not there at all.
"""
import json
import time
import urllib.parse

import pytest

from support import tokens
from support.catalogue import DUO, LINES, NEIGHBOUR, NEXT_PROJECT, PROJECT
from support.client import with_query
from support.httpclient import Response, dial, read_head
from support.platform import OPERATOR, VERBS
from support.rawws import handshake_request, read_body
from support.routes import ROUTES
from support.spellings import STRANGE
from support.tokens import claims

NOT_UPGRADED = dict.fromkeys(["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])
WITH_PODS = [route for route in ROUTES if "pod" in route.fields]
OF_WORKLOADS = [route for route in ROUTES if "name" in route.segments]
OF_PROJECTS = [route for route in ROUTES if "project" in route.segments]
MISSING = LINES.named(name="liens")  # of the same length as `lines`

each_route = pytest.mark.parametrize("route", ROUTES, ids=str)
both_ways = pytest.mark.parametrize("upgraded", [False, True], ids=["plain", "upgrade"])


@pytest.fixture(scope="module")
def pods(platform):
    """Names of pods by that of their workload: a cluster may have to be asked for them."""
    return {workload.name: platform.pod(workload) for workload in (LINES, DUO, NEIGHBOUR)}


def ask(client, path, query=None, upgraded=False, headers=None, method=b"GET"):
    """The answer; of one that goes on, such as a session or a watch, the head."""
    own = {} if client.token is None else {"Authorization": f"Bearer {client.token}"}
    fields = own | ({} if upgraded else NOT_UPGRADED) | (headers or {})
    request = handshake_request("{}:{}".format(*client.server.address), with_query(path, query), fields)
    with dial(client.server.address) as sock:
        sock.sendall(method + request.removeprefix(b"GET"))
        answer, rest = read_head(sock)
        if answer.status == 101 or "content-length" not in answer.headers or method == b"HEAD":
            return answer
        return Response(answer.status, answer.headers, read_body(sock, answer, rest))


def seen(answer, names=()):
    """All of an answer that may not differ; `names` are what was asked for, which it may repeat."""
    text = answer.body.decode()
    for name in names:
        text = text.replace(name, "NAME")
    headers = {name: value for name, value in answer.headers.items() if name not in ("content-length", "date")}
    return answer.status, headers, text


def strangers(platform):
    """Callers with a good token who may do nothing in the project."""
    return {"stranger": platform.user("stranger"), "of the next project": platform.user("bob"),
            "of a group of another name": platform.user("carol", ("alice", "e2e-next", "*"))}


def unauthenticated(platform):
    now = int(time.time())
    key = platform.key
    bad = {"none": None, "empty": "", "malformed": "a.b.c", "not a token": "alice",
           "expired": key.sign(claims(exp=now - 1)), "not yet valid": key.sign(claims(nbf=now + 3600)),
           "of another key": tokens.Key("ES256", kid=key.kid).sign(claims()),
           "of another issuer": key.sign(claims(iss="https://other.example")),
           "for another service": key.sign(claims(aud="other")),
           "unsigned": tokens.unsigned({"alg": "none", "kid": key.kid}, claims()),
           "of another kind": key.sign(claims(), headers={"typ": "logout+jwt"})}
    return {name: platform.client.as_user(token) for name, token in bad.items()}


def allowed(route, upgraded):
    """The right caller's status."""
    return (101 if upgraded else 426) if route.is_socket else 200


# --- every endpoint and every caller ---


@both_ways
@each_route
def test_only_the_right_callers_are_served(platform, route, upgraded):
    right = allowed(route, upgraded)
    wrong = 403 if route.verb else right
    callers = {"alice": (platform.client, right), "member": (platform.user("dave", ("ml",)), right),
               OPERATOR: (platform.user(OPERATOR), right)}
    callers |= {name: (client, 401) for name, client in unauthenticated(platform).items()}
    callers |= {name: (client, wrong) for name, client in strangers(platform).items()}
    callers |= {f"only {verb}": (platform.user(f"only-{verb}"), right if verb == route.verb else wrong)
                for verb in VERBS}
    answers = {name: ask(client, route.path(LINES), route.query, upgraded).status
               for name, (client, _) in callers.items()}
    assert answers == {name: status for name, (_, status) in callers.items()}


@both_ways
@pytest.mark.parametrize("route", OF_PROJECTS, ids=str)
def test_bob_is_served_next_door_and_alice_is_not(platform, route, upgraded):
    bob = ask(platform.user("bob"), route.path(NEIGHBOUR), route.query, upgraded)
    alice = ask(platform.client, route.path(NEIGHBOUR), route.query, upgraded)
    assert (bob.status, alice.status) == (allowed(route, upgraded), 403)


def test_a_namesake_next_door_is_another_workload(platform):
    path = LINES.named(project=NEXT_PROJECT).path("logs")
    with platform.user("bob").open(path) as session:
        assert session.message() == b"I am next door\n"
    with platform.client.open(LINES.path("logs")) as session:
        assert session.message() == b"line 1\n"


@both_ways
@each_route
@pytest.mark.parametrize("method", [b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"QUERY",
                                    b"get"])
def test_another_method_is_refused_alike_for_all(platform, route, method, upgraded):
    callers = [platform.client, platform.client.as_user(None), platform.client.as_user("a.b.c"),
               platform.user("stranger"), platform.user("bob")]
    answers = [seen(ask(client, route.path(workload), route.query, upgraded, method=method))
               for client in callers for workload in (LINES, MISSING, NEIGHBOUR)]
    assert answers[0][0] == 405
    assert all(answer == answers[0] for answer in answers)


@each_route
def test_a_connection_says_nothing_of_who_asks_next(platform, route):
    """Requests of several callers on one connection: each has to have a token of its own."""
    wanted = [(None, 401), ("alice", allowed(route, False)), ("stranger", 403 if route.verb else 200), (None, 401)]
    wanted = [pair for pair in wanted if pair[1] != 200]  # whose body would have to be read
    with dial(platform.server.address) as sock:
        for user, status in wanted:
            fields = NOT_UPGRADED | ({"Authorization": f"Bearer {platform.token(user)}"} if user else {})
            sock.sendall(handshake_request("h", with_query(route.path(LINES), route.query), fields))
            answer, rest = read_head(sock)
            read_body(sock, answer, rest)
            assert (user, answer.status) == (user, status)


# --- what is there and what is not ---


@both_ways
@pytest.mark.parametrize("route", OF_PROJECTS, ids=str)
def test_without_permission_nothing_tells_what_is_there(platform, route, upgraded):
    """Workloads that are there, are not, have other types; and a project that is there, or is not."""
    other = next(verb for verb in VERBS if verb != route.verb)
    for client in [*strangers(platform).values(), platform.user(f"only-{other}")]:
        answers = [seen(ask(client, route.path(workload), route.query, upgraded))
                   for workload in (LINES, MISSING, NEIGHBOUR.named(project=PROJECT), DUO,
                                    LINES.named(type="workspace"), LINES.named(framework="any"))]
        assert answers[0][0] == 403
        assert all(answer == answers[0] for answer in answers)
        absent = PROJECT[::-1] + "x"
        there = ask(client, route.path(LINES), route.query, upgraded)
        not_there = ask(client, route.path(LINES.named(project=absent)), route.query, upgraded)
        assert seen(there, [f'\\"{PROJECT}\\"']) == seen(not_there, [f'\\"{absent}\\"'])


@both_ways
@pytest.mark.parametrize("field", ["pod", "container"])
@pytest.mark.parametrize("route", WITH_PODS, ids=str)
def test_without_permission_a_pod_or_container_is_not_looked_at(platform, pods, route, field, upgraded):
    stranger = platform.user("stranger")
    names = {"pod": [pods[LINES.name], pods[DUO.name], "nope", "%00", "../x"],
             "container": ["main", "alpha", "nope", "%00", "../x"]}[field]
    answers = [seen(ask(stranger, route.path(LINES), route.query | {field: name}, upgraded)) for name in names]
    assert answers[0][0] == 403
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("route", WITH_PODS, ids=str)
def test_pods_of_others_are_as_pods_that_are_not_there(platform, pods, route):
    """With permission, too: those of another workload, and those of another project."""
    own = pods[LINES.name]
    names = ["nope", pods[DUO.name], pods[NEIGHBOUR.name], f"{NEXT_PROJECT}/{own}", own + "x", own[:-1]]
    answers = []
    for name in names:
        answer = ask(platform.client, route.path(LINES), route.query | {"pod": name}, route.is_socket)
        assert answer.json["message"] == f'pod "{name}" not in workload "lines"; it has: {own}'
        answers.append(seen(answer, [f'\\"{name}\\"']))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("route", WITH_PODS, ids=str)
def test_containers_of_others_are_as_containers_that_are_not_there(platform, pods, route):
    own = pods[LINES.name]
    answers = []
    for name in ["nope", "alpha", NEIGHBOUR.containers[0].name, "main/../main", "mainx", "mai"]:
        answer = ask(platform.client, route.path(LINES), route.query | {"container": name}, route.is_socket)
        assert answer.json["message"] == f'container "{name}" not in pod "{own}"; it has: main'
        answers.append(seen(answer, [f'\\"{name}\\"']))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("route", OF_WORKLOADS, ids=str)
def test_workloads_of_another_project_are_as_those_that_are_not_there(platform, route):
    answers = []
    for name in ["nope", NEIGHBOUR.name, f"{NEXT_PROJECT}.{NEIGHBOUR.name}"]:
        path = route.path(LINES, name=name)
        answers.append(seen(ask(platform.client, path, route.query, route.is_socket), [f'"{name}"']))
    assert answers[0][0] == 500
    assert all(answer == answers[0] for answer in answers)


# --- names that decode strangely ---


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("route", OF_PROJECTS, ids=str)
def test_strange_spellings_of_a_path_reach_nothing(platform, route, strange):
    """They are malformed for whoever has a token, with permission or without; never a way to what they look like."""
    for segment in route.segments:
        spelled = STRANGE[strange](getattr(LINES, segment))
        path = route.path(LINES, **{segment: spelled})
        assert ask(platform.client.as_user(None), path, route.query, route.is_socket).status == 401
        answers = [seen(ask(client, path, route.query, route.is_socket))
                   for client in (platform.client, platform.user(OPERATOR), *strangers(platform).values())]
        assert answers[0][0] == 400, (path, answers[0])
        assert json.loads(answers[0][2])["message"].startswith("malformed path parameter: ")
        assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("route", OF_PROJECTS, ids=str)
def test_escapes_that_need_not_be_are_the_same_name(platform, route):
    """RFC 3986 6.2.2.2: so permission is that of what they decode to."""
    escaped = {segment: "".join(f"%{ord(c):02x}" for c in getattr(LINES, segment)) for segment in route.segments}
    path = route.path(LINES, **escaped)
    plain = route.path(LINES)
    for client in (platform.client, platform.client.as_user(None), platform.user("bob"), platform.user("stranger")):
        asked = [ask(client, spelled, route.query, route.is_socket).status for spelled in (path, plain)]
        assert asked[0] == asked[1]


@pytest.mark.parametrize("path", [
    f"/cluster-api/api/v1/{NEXT_PROJECT}/../{PROJECT}/workloads", f"/cluster-api/api/v1//{PROJECT}/workloads",
    f"/cluster-api/api/v1/{NEXT_PROJECT}%2f..%2f{PROJECT}/workloads", f"/cluster-api/./api/v1/{PROJECT}/workloads",
    f"/x/../cluster-api/api/v1/{PROJECT}/workloads", f"//cluster-api/api/v1/{PROJECT}/workloads",
    f"/cluster-api/api/v1/{PROJECT}/workloads/", f"/cluster-api/api/v1/{PROJECT}/workloads;x",
    f"/cluster-api/api/v1/{PROJECT}/workloads%00", f"/cluster-api/api/v1/{PROJECT}/workloads/.",
    f"/cluster-api%2fapi/v1/{PROJECT}/workloads", f"/Cluster-API/api/v1/{PROJECT}/workloads"])
def test_paths_are_not_made_shorter(platform, path):
    for client in (platform.client, platform.user("bob")):
        assert ask(client, path).status in (400, 404)


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("field", ["pod", "container"])
@pytest.mark.parametrize("route", WITH_PODS, ids=str)
def test_strange_spellings_of_a_pod_or_container_reach_nothing(platform, pods, route, field, strange):
    own = {"pod": pods[LINES.name], "container": "main"}[field]
    spelled = STRANGE[strange](own)
    query = urllib.parse.urlencode(route.query)
    answer = ask(platform.client, route.path(LINES), f"{query}&{field}={spelled}", route.is_socket)
    assert answer.status in (400, 404)
    if answer.status == 404:
        decoded = urllib.parse.unquote_plus(spelled)
        assert answer.message.startswith(f'{field} "{decoded}" not in ')
    else:
        assert answer.message.startswith("malformed query: ")


@pytest.mark.parametrize("field", ["pod", "container"])
@pytest.mark.parametrize("route", WITH_PODS, ids=str)
def test_two_pods_or_containers_are_refused(platform, pods, route, field):
    own, other = {"pod": (pods[LINES.name], pods[NEIGHBOUR.name]), "container": ("main", "next-door")}[field]
    for pair in ((own, other), (other, own), (own, own)):
        query = urllib.parse.urlencode([*route.query.items(), *((field, name) for name in pair)])
        assert ask(platform.client, route.path(LINES), query, route.is_socket).status == 400


# --- fields that say who or what in other ways ---


@both_ways
@each_route
@pytest.mark.parametrize("field", ["Impersonate-User", "impersonate-group", "Impersonate-Extra-scopes",
                                   "IMPERSONATE-UID"])
def test_who_asks_to_be_somebody_else_is_refused(platform, route, field, upgraded):
    def answers(client):
        return [seen(ask(client, route.path(workload), route.query, upgraded, {field: OPERATOR}))
                for workload in (LINES, MISSING, NEIGHBOUR)]
    refused = [answer for client in (platform.client, platform.user("stranger"), platform.user("bob"))
               for answer in answers(client)]
    assert refused[0][0] == 400
    assert "Impersonate-" in refused[0][2]
    assert all(answer == refused[0] for answer in refused)
    assert [answer[0] for answer in answers(platform.client.as_user(None))] == [401] * 3


@pytest.mark.parametrize("fields", [
    {"X-Remote-User": OPERATOR, "X-Remote-Group": "ml"}, {"X-Forwarded-User": OPERATOR, "X-Forwarded-For": "127.0.0.1"},
    {"X-Original-URL": "/cluster-api/status", "X-Rewrite-URL": "/cluster-api/status"},
    {"X-HTTP-Method-Override": "DELETE"}, {"Cookie": "token=x; user=operator"}, {"Proxy-Authorization": "Bearer x"},
    {"X-Project": NEXT_PROJECT}, {"Forwarded": "for=127.0.0.1;by=operator"}], ids=lambda fields: next(iter(fields)))
@each_route
def test_what_proxies_may_say_has_no_effect(platform, route, fields):
    for client, workload in ((platform.user("stranger"), LINES), (platform.user("bob"), LINES),
                             (platform.client.as_user(None), LINES), (platform.client, NEIGHBOUR)):
        if route.verb is None and client.token:
            continue  # nobody with a token is refused here
        plain = ask(client, route.path(workload), route.query, route.is_socket)
        assert plain.status in (401, 403)
        assert seen(ask(client, route.path(workload), route.query, route.is_socket, fields)) == seen(plain)


# --- time ---


def shortest(client, paths, rounds=50):
    """Of each path's answers, in seconds: asked in turns on one connection. What a busy machine adds comes and goes, so
    that none of it is in the shortest; what the server does for a path is in all of its answers."""
    fields = NOT_UPGRADED | {"Authorization": f"Bearer {client.token}"}
    requests = [handshake_request("h", path, fields) for path in paths]
    spent = [[] for _ in paths]
    with dial(client.server.address) as sock:
        for _ in range(rounds):
            for request, times in zip(requests, spent):
                begin = time.perf_counter()
                sock.sendall(request)
                answer, rest = read_head(sock)
                read_body(sock, answer, rest)
                times.append(time.perf_counter() - begin)
    return [min(times) for times in spent]


@pytest.mark.parametrize("route", OF_WORKLOADS, ids=str)
def test_time_does_not_tell_what_is_there(platform, route):
    """A coarse look, which would see a question to the cluster; that nothing is looked at before the permission, a test
    of the gateway shows (src/gateway/isolation_test.cc)."""
    targets = (LINES, MISSING, NEIGHBOUR.named(project=PROJECT), LINES.named(project="ghost"))
    paths = [with_query(route.path(workload), route.query) for workload in targets]
    found = shortest(platform.user("stranger"), paths)
    assert max(found) < 3 * min(found), found
