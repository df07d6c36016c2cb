"""Contract §9 and §10: the program's options, and what a bad configuration says."""
import subprocess

import jwt
import pytest

from support.catalogue import BASE, LINES
from support.client import Client
from support.local import describe, settings
from support.server import SLUICED, Server, sluiced
from support.tokens import Key, jwks

GOOD = """\
listen: 127.0.0.1:0
auth:
  development: {enabled: true}
authorization:
  mode: policy
  rules:
    - {subjects: ["user:alice"], projects: [project1], verbs: ["*"]}
backend:
  kind: local
  local: {workloads: workloads.yaml, stateDir: state}
"""
WORKLOADS = """\
projects:
  project1:
    - name: job
      type: training
      framework: runai
      containers:
        - command: [/bin/sleep, "1"]
"""


def write(folder, config=GOOD, workloads=WORKLOADS):
    (folder / "sluiced.yaml").write_text(config)
    (folder / "workloads.yaml").write_text(workloads)
    return folder / "sluiced.yaml"


def check(folder, config=GOOD, workloads=WORKLOADS):
    return sluiced("--config", write(folder, config, workloads), "--check")


def test_check_of_a_good_config_exits_0(tmp_path):
    result = check(tmp_path)
    assert result.returncode == 0, result.stderr
    assert "listening" not in result.stderr


def test_version():
    result = sluiced("--version")
    assert result.returncode == 0
    assert result.stdout.strip()


def test_all_keys_of_the_contract_are_accepted(tmp_path):
    (tmp_path / "keys.json").write_text(jwks(Key("ES256")))
    config = """\
listen: [127.0.0.1:0, 127.0.0.1:0]
allowPlaintext: false
basePath: /cluster-api
admin: {listen: 127.0.0.1:0}
auth:
  issuers:
    - issuer: https://auth.example/auth/realms/runai
      audiences: [runai]
      jwksFile: keys.json
      claims: {user: sub, groups: groups}
  development: {enabled: true}
authorization:
  mode: policy
  rules:
    - {subjects: ["user:alice", "group:ml"], projects: [project1],
       verbs: [status, logs, exec, attach, port-forward]}
    - {subjects: ["*"], projects: ["*"], verbs: ["*"]}
backend:
  kind: local
  local: {workloads: workloads.yaml, stateDir: state}
sessions: {pingInterval: 30s, idleTimeout: 5m, shutdownGrace: 30s, max: 20000, maxPerUser: 1000}
compat: {missingWorkload: 500}
websocket: {compression: false}
log: {level: info, format: json}
"""
    result = check(tmp_path, config)
    assert result.returncode == 0, result.stderr


def bad(name, old, new, line, *words):
    return pytest.param(old, new, line, words, id=name)


@pytest.mark.parametrize("old, new, line, words", [
    bad("unknown key", "backend:\n", "colour: red\nbackend:\n", 8, "colour"),
    bad("unknown nested key", "kind: local\n", "kind: local\n  speed: 9\n", 10, "speed"),
    bad("unknown rule key", "verbs: [\"*\"]", "verbs: [\"*\"], when: now", 7, "when"),
    bad("no listen", "listen: 127.0.0.1:0\n", "", 1, "listen"),
    bad("listen without port", "127.0.0.1:0", "127.0.0.1", 1, "listen", "HOST:PORT"),
    bad("listen with a bad port", "127.0.0.1:0", "127.0.0.1:99999", 1, "listen"),
    bad("rule without projects", "projects: [project1], ", "", 7, "projects"),
    bad("unknown backend", "kind: local", "kind: docker", 9, "kind", "local", "kubernetes"),
    bad("unknown mode", "mode: policy", "mode: anarchy", 5, "mode", "policy"),
    bad("unknown verb", 'verbs: ["*"]', "\n       verbs: [status, dance]", 8,
        "rules[0].verbs[1]", "dance", "exec"),
    bad("subject without a kind", '"user:alice"', '"alice"', 7, "rules[0].subjects[0]", "alice",
        "user:"),
    bad("project that is no name", "[project1]", "[Project_1]", 7, "rules[0].projects[0]",
        "Project_1"),
    bad("keys by plain http", "development: {enabled: true}",
        "issuers: [{issuer: a,\n     jwksUri: 'http://keys.example'}]", 4,
        "auth.issuers[0].jwksUri", "https"),
    bad("empty audience", "development: {enabled: true}",
        "issuers: [{issuer: 'https://a', audiences: ['']}]", 3, "auth.issuers[0].audiences[0]"),
    bad("empty claim", "development: {enabled: true}",
        "issuers: [{issuer: 'https://a', claims: {user: ''}}]", 3, "auth.issuers[0].claims.user"),
    bad("development issuer beyond loopback", "127.0.0.1:0", "0.0.0.0:0", 3, "auth.development",
        "loopback"),
    bad("wrong type", "enabled: true", "enabled: perhaps", 3, "enabled", "true"),
    bad("list for a map", "backend:\n", "sessions: [1]\nbackend:\n", 8, "sessions"),
    bad("bad duration", "backend:\n", "sessions: {pingInterval: soon}\nbackend:\n", 8,
        "pingInterval"),
    bad("duration too long", "backend:\n", "sessions: {idleTimeout: 2562047h}\nbackend:\n", 8,
        "sessions.idleTimeout", "at most 87600h", "2562047h"),
    bad("negative number", "backend:\n", "sessions: {max: -1}\nbackend:\n", 8, "max"),
    bad("bad level", "backend:\n", "log: {level: loud}\nbackend:\n", 8, "level", "info"),
    bad("bad format", "backend:\n", "log: {format: xml}\nbackend:\n", 8, "format", "json"),
    bad("bad compat", "backend:\n", "compat: {missingWorkload: 418}\nbackend:\n", 8,
        "missingWorkload", "404", "500"),
    bad("base path without slash", "backend:\n", "basePath: api\nbackend:\n", 8, "basePath"),
    bad("no issuer at all", "  development: {enabled: true}", "  development: {enabled: false}", 3,
        "issuer"),
    bad("workloads file missing", "workloads.yaml", "nothing.yaml", None, "nothing.yaml"),
    bad("same key twice", "backend:\n", "listen: 127.0.0.1:0\nbackend:\n", 8, "listen")])
def test_bad_config_names_file_line_key_and_what_would_be_right(tmp_path, old, new, line, words):
    assert old in GOOD
    result = check(tmp_path, GOOD.replace(old, new, 1))
    assert result.returncode == 2, result.stderr
    assert line is None or f"sluiced.yaml:{line}" in result.stderr, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.mark.parametrize("config", ["", "[]", "listen: [", "a: b: c", "\x00"])
def test_config_that_is_no_mapping_or_no_yaml(tmp_path, config):
    result = check(tmp_path, config)
    assert result.returncode == 2
    assert "sluiced.yaml" in result.stderr


def test_the_longest_durations_are_accepted(tmp_path):
    keys = ("pingInterval", "idleTimeout", "shutdownGrace", "upgradeGrace")
    longest = ", ".join(f"{key}: 87600h" for key in keys)
    result = check(tmp_path, GOOD + f"sessions: {{{longest}}}\n")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("ttl", ["87600h1ns", "2562047h", "9999999h", "0s", "-1h", "soon"])
def test_token_that_is_to_last_too_long_or_not_at_all_exits_2(tmp_path, ttl):
    result = sluiced("token", "--config", write(tmp_path), "--user", "alice", f"--ttl={ttl}")
    assert result.returncode == 2
    assert not result.stdout
    assert "--ttl: expected a duration such as 1h, at most 87600h" in result.stderr, result.stderr
    assert ttl in result.stderr


def test_token_that_lasts_as_long_as_it_may(tmp_path):
    result = sluiced("token", "--config", write(tmp_path), "--user", "alice", "--ttl", "87600h")
    assert result.returncode == 0, result.stderr
    claims = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 87600 * 3600


def test_missing_config_file_exits_2(tmp_path):
    result = sluiced("--config", tmp_path / "absent.yaml", "--check")
    assert result.returncode == 2
    assert "absent.yaml" in result.stderr


def test_bad_config_at_start_exits_2_without_serving(tmp_path):
    result = sluiced("--config", write(tmp_path, GOOD + "colour: red\n"))
    assert result.returncode == 2
    assert "listening" not in result.stderr


# --- the workloads file ---


@pytest.mark.parametrize("old, new, line, words", [
    bad("unknown key", "framework: runai\n", "framework: runai\n      color: red\n", 6, "color"),
    bad("unknown container key", "- command:", "- colour: x\n          command:", 7, "colour"),
    bad("invalid pair", "framework: runai", "framework: pytorch", 4, "runai"),
    bad("unknown type", "type: training", "type: job", 4, "training"),
    bad("no name", "- name: job\n      type", "- type", 3, "name"),
    bad("bad name", "name: job", "name: Job_1", 3, "Job_1"),
    bad("bad project", "project1:", "Project_1:", 2, "Project_1"),
    bad("mapping for a list", "    - name: job\n      type", "      name: job\n      type", 2,
        "project1", "list"),
    bad("no containers", "      containers:\n        - command: [/bin/sleep, \"1\"]\n", "", 3,
        "containers"),
    bad("no command", "- command: [/bin/sleep, \"1\"]", "- name: x", 7, "command"),
    bad("empty command", '[/bin/sleep, "1"]', "[]", 7, "command"),
    bad("command as text", '[/bin/sleep, "1"]', "/bin/sleep 1", 7, "command"),
    bad("negative replicas", "framework: runai\n", "framework: runai\n      replicas: -1\n", 6,
        "replicas"),
    bad("bad restart", "- command:", "- restart: Sometimes\n          command:", 7, "Never",
        "OnFailure", "Always"),
    bad("broken yaml", "type: training", "type: [training", None)])
def test_bad_workloads_file_exits_2_naming_file_and_line(tmp_path, old, new, line, words):
    assert old in WORKLOADS
    result = check(tmp_path, workloads=WORKLOADS.replace(old, new, 1))
    assert result.returncode == 2, result.stderr
    expected = "workloads.yaml" + (f":{line}" if line else "")
    assert expected in result.stderr, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_same_name_twice_within_project_and_type(tmp_path):
    again = WORKLOADS.split("project1:\n")[1]
    result = check(tmp_path, workloads=WORKLOADS + again)
    assert result.returncode == 2
    assert "job" in result.stderr
    other_type = again.replace("training", "workspace")
    assert check(tmp_path, workloads=WORKLOADS + other_type).returncode == 0


# --- what --check also reads, and what is refused ---


def test_development_issuer_is_refused_unless_every_listener_is_loopback(tmp_path):
    config = GOOD.replace("127.0.0.1:0", "[127.0.0.1:0, 0.0.0.0:0]") + "allowPlaintext: true\n"
    result = check(tmp_path, config)
    assert result.returncode == 2
    assert "development" in result.stderr and "loopback" in result.stderr


def issuer_config(folder, listen="127.0.0.1:0", more=""):
    (folder / "keys.json").write_text(jwks(Key("ES256")))
    issuer = "issuers: [{issuer: 'https://i.example', jwksFile: keys.json}]"
    config = GOOD.replace("127.0.0.1:0", listen)
    return config.replace("development: {enabled: true}", issuer) + more


def test_plaintext_is_refused_on_non_loopback_unless_allowed(tmp_path):
    result = check(tmp_path, issuer_config(tmp_path, "0.0.0.0:0"))
    assert result.returncode == 2
    assert "allowPlaintext" in result.stderr
    allowed = issuer_config(tmp_path, "0.0.0.0:0", "allowPlaintext: true\n")
    assert check(tmp_path, allowed).returncode == 0


@pytest.mark.parametrize("content", [None, "{ broken", "{}", '{"keys": 5}'])
def test_check_reads_the_keys(tmp_path, content):
    config = issuer_config(tmp_path)
    (tmp_path / "keys.json").unlink()
    if content:
        (tmp_path / "keys.json").write_text(content)
    result = check(tmp_path, config)
    assert result.returncode == 2
    assert "sluiced.yaml:3: auth.issuers[0].jwksFile: " in result.stderr
    assert "keys.json" in result.stderr


def test_check_reads_the_certificate(tmp_path):
    config = GOOD + "tls: {certificate: cert.pem, key: key.pem}\n"
    result = check(tmp_path, config)
    assert result.returncode == 2
    assert "cert.pem" in result.stderr
    (tmp_path / "cert.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    result = check(tmp_path, config)
    assert result.returncode == 2
    assert "sluiced.yaml:11: tls.certificate: " in result.stderr


def test_thousands_of_workloads_are_read(tmp_path):
    replicas = "framework: runai, replicas: 0, containers: [{command: [/bin/sh, -c, exit]}]"
    entries = "".join(f"    - {{name: w{i}, type: training, {replicas}}}\n" for i in range(3000))
    result = check(tmp_path, workloads="projects:\n  project1:\n" + entries)
    assert result.returncode == 0, result.stderr


def test_unreadable_state_directory_is_a_clear_error(tmp_path):
    (tmp_path / "state").write_text("a file, no directory")
    result = sluiced("--config", write(tmp_path))
    assert result.returncode not in (0, None)
    assert "state" in result.stderr


@pytest.mark.local  # others keep nothing there but a key
def test_state_directory_of_another_server_is_a_clear_error(client):
    second = sluiced("--config", client.server.config)
    assert second.returncode == 2
    assert "used by another sluiced" in second.stderr


def test_private_key_that_others_may_read_is_refused_or_tightened(tmp_path):
    config = write(tmp_path)
    token = sluiced("token", "--config", config, "--user", "alice")
    assert token.returncode == 0, token.stderr
    private = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert private
    for path in private:
        path.chmod(0o644)
    result = sluiced("token", "--config", config, "--user", "alice")
    tightened = all(path.stat().st_mode & 0o077 == 0 for path in private)
    assert tightened or result.returncode != 0
    if result.returncode != 0:
        assert "600" in result.stderr


def test_port_already_in_use_is_a_clear_error(client, tmp_path):
    taken = "{}:{}".format(*client.server.address)
    result = sluiced("--config", write(tmp_path, GOOD.replace("127.0.0.1:0", taken)))
    assert result.returncode not in (0, None)
    assert taken in result.stderr and "in use" in result.stderr


# --- tokens, listeners, relative paths ---


def test_token_command_carries_user_groups_and_ttl(tmp_path):
    result = sluiced("token", "--config", write(tmp_path), "--user", "bob", "--group", "a",
                     "--group", "b", "--ttl", "90s")
    payload = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert (payload["sub"], payload["groups"]) == ("bob", ["a", "b"])
    assert payload["exp"] - payload["iat"] == 90


@pytest.mark.parametrize("option", ["--user", "--group"])
def test_token_for_an_empty_name_is_refused(tmp_path, option):
    config = write(tmp_path)
    names = {"--user": "alice", "--group": "ml"} | {option: ""}
    words = [word for pair in names.items() for word in pair]
    result = sluiced("token", "--config", config, *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert option in result.stderr


def test_token_without_the_development_issuer_is_refused(tmp_path):
    config = write(tmp_path, issuer_config(tmp_path))
    result = sluiced("token", "--config", config, "--user", "bob")
    assert result.returncode != 0
    assert "development" in result.stderr


def test_one_line_listening_on_per_listener_and_admin_on(serve):
    client = serve(LINES, listen=["127.0.0.1:0", "127.0.0.1:0"])
    output = client.server.output
    assert output.count("listening on http://127.0.0.1:") == 2
    assert output.count("admin on ") == 1
    assert len(set(client.server.addresses)) == 2
    for address in client.server.addresses:
        client.server.addresses = [address]
        assert client.get(BASE + "/status").status == 200


def test_relative_paths_are_relative_to_the_config_file(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    server = Server(folder, settings(), describe(LINES))
    result = subprocess.run([SLUICED, "--config", "../there/sluiced.yaml", "--check"],
                            cwd=elsewhere, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    server.start()
    try:
        assert (folder / "state").is_dir()
        assert Client(server, server.token()).get(LINES.path("status")).status == 200
    finally:
        assert server.stop() == 0


def test_restart_keeps_the_development_key(tmp_path):
    server = Server(tmp_path, settings(), describe(LINES)).start()
    token = server.token()
    assert server.stop() == 0
    server.start()
    try:
        assert Client(server, token).get(BASE + "/status").status == 200
    finally:
        server.stop()


def test_no_config_option_explains_itself():
    result = sluiced()
    assert result.returncode == 2
    assert "--config" in result.stderr + result.stdout
