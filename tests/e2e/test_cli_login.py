"""sluice login, logout and config: tokens by each grant, kept safe and renewed."""
import json
import re
import stat

import pytest

from support import catalogue, identity, tokens
from support.cli import Cli, StderrLines
from support.client import Client
from support.terminal import Terminal

pytestmark = pytest.mark.local  # the same whatever runs the workloads


@pytest.fixture
def issuer():
    provider = identity.IdentityProvider()
    yield provider
    provider.stop()


@pytest.fixture
def client(serve, issuer):
    """Of a server that trusts the issuer."""
    settings = {"issuers": [{"issuer": issuer.issuer, "audiences": ["sluice"]}]}
    rules = [{"subjects": ["user:alice", "user:robot"], "projects": ["*"], "verbs": ["*"]}]
    served = serve(catalogue.SHELL, catalogue.LINES, catalogue.TICKER, auth=settings,
                   authorization={"mode": "policy", "rules": rules})
    token = issuer.keys[0].sign(tokens.claims(iss=issuer.issuer))
    Client(served.server, token).settle(catalogue.SHELL, catalogue.LINES, catalogue.TICKER)
    return served


@pytest.fixture
def cli(client, tmp_path):
    return Cli(client.server, None, catalogue.PROJECT, tmp_path)


def log_in(cli, issuer, *arguments, stdin=b"", **environment):
    return cli.run("login", "--issuer", issuer.issuer, "--client-id", identity.CLIENT, *arguments, stdin=stdin,
                   **environment)


def by_password(cli, issuer):
    done = log_in(cli, issuer, "--user", identity.USER, stdin=identity.PASSWORD.encode() + b"\n")
    assert done.returncode == 0, done.stderr
    return done


def token_file(tmp_path):
    (file,) = (tmp_path / ".config/sluice/tokens").glob("*.json")
    return file


def expire(tmp_path):
    """Lets the stored token look as if it were about to expire."""
    file = token_file(tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"expiresAt": "2026-01-01T00:00:00Z"}))


def works(cli):
    done = cli.run("list", "-o", "json")
    return done.returncode == 0 and json.loads(done.stdout)["workloads"] != []


def test_a_login_by_password_is_good_for_all_that_follows(cli, issuer):
    assert cli.run("list").returncode == 3
    # It has an hour, less what the login took.
    assert re.search(rb"logged in to 127\.0\.0\.1; the token is good for (1h|59m\d+s)", by_password(cli, issuer).stderr)
    assert works(cli)
    # The configuration has it all: without the environment's server it is the same.
    cli.environment.pop("SLUICE_SERVER")
    cli.environment.pop("SLUICE_PROJECT")
    assert works(cli)


def test_a_wrong_password_is_the_issuers_word_and_exit_code_3(cli, issuer):
    done = log_in(cli, issuer, "--user", identity.USER, stdin=b"guess\n")
    assert done.returncode == 3
    assert b"that is not good" in done.stderr and b"guess" not in done.stderr


def test_tokens_are_their_owners_alone(cli, issuer, tmp_path):
    by_password(cli, issuer)
    for path, mode in ((token_file(tmp_path), 0o600), (token_file(tmp_path).parent, 0o700),
                       (tmp_path / ".config/sluice/config.yaml", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    assert identity.PASSWORD not in token_file(tmp_path).read_text()


def test_a_password_typed_at_a_terminal_is_not_shown(cli, issuer):
    terminal = Terminal(cli, "login", "--issuer", issuer.issuer, "--client-id", identity.CLIENT, "--user",
                        identity.USER)
    terminal.read_until(b"Password of alice: ")
    terminal.type(identity.PASSWORD.encode() + b"\n")
    shown = terminal.read_to_end()
    assert b"logged in" in shown and identity.PASSWORD.encode() not in shown
    assert terminal.is_restored()
    terminal.close()
    assert works(cli)


def test_a_login_by_a_device_waits_until_it_is_confirmed(cli, issuer):
    issuer.pending = 1
    done = log_in(cli, issuer)
    assert done.returncode == 0, done.stderr
    assert f"open {issuer.issuer}/confirm and confirm the code ABCD-EFGH".encode() in done.stderr
    assert len(issuer.asked) == 2
    assert works(cli)


def test_a_client_logs_in_for_itself_by_its_secret(cli, issuer, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(identity.ROBOT_SECRET + "\n")
    done = cli.run("login", "--issuer", issuer.issuer, "--client-id", identity.ROBOT, "--client-secret-file",
                   str(secret))
    assert done.returncode == 0, done.stderr
    assert works(cli)
    expire(tmp_path)
    assert works(cli)
    assert [form["grant_type"] for form in issuer.asked] == ["client_credentials"] * 2


def test_a_secret_of_the_environment_is_not_written_anywhere(cli, issuer, tmp_path):
    done = cli.run("login", "--issuer", issuer.issuer, "--client-id", identity.ROBOT,
                   SLUICE_CLIENT_SECRET=identity.ROBOT_SECRET)
    assert done.returncode == 0, done.stderr
    assert works(cli)
    for file in (tmp_path / ".config/sluice").rglob("*"):
        assert file.is_dir() or identity.ROBOT_SECRET not in file.read_text()


def test_a_token_is_renewed_before_it_expires(cli, issuer, tmp_path):
    by_password(cli, issuer)
    before = json.loads(token_file(tmp_path).read_text())
    expire(tmp_path)
    assert works(cli)
    after = json.loads(token_file(tmp_path).read_text())
    assert after["accessToken"] != before["accessToken"] and after["refreshToken"] != before["refreshToken"]
    assert issuer.asked[-1]["grant_type"] == "refresh_token"
    assert stat.S_IMODE(token_file(tmp_path).stat().st_mode) == 0o600


def test_of_several_programs_one_renews_the_token(cli, issuer, tmp_path):
    by_password(cli, issuer)
    expire(tmp_path)
    programs = [cli.start("list", "-o", "json") for _ in range(8)]
    for program in programs:
        out, err = program.communicate(timeout=30)
        assert program.returncode == 0 and b"workloads" in out, err
    assert [form["grant_type"] for form in issuer.asked] == ["password", "refresh_token"]


def test_a_login_that_can_not_be_renewed_says_what_to_do(cli, issuer, tmp_path):
    by_password(cli, issuer)
    issuer.refresh_tokens.clear()
    expire(tmp_path)
    done = cli.run("list")
    assert done.returncode == 3
    assert b"the login has expired: run `sluice login`" in done.stderr


def test_a_follow_goes_on_with_the_renewed_token(cli, issuer):
    issuer.lifetime = 4  # the session ends with it
    by_password(cli, issuer)
    program = cli.start("logs", "-f", "--tail", "1", "ticker")
    said = StderrLines(program)
    seen = []
    while said.count("connected again") < 1 and len(seen) < 2000:
        seen.append(int(program.stdout.readline().split()[1]))
    seen += [int(program.stdout.readline().split()[1]) for _ in range(10)]
    program.terminate()
    said.end()
    program.communicate()
    assert said.count("token expired; connecting again") >= 1 and said.count("connected again") >= 1
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_a_token_that_the_server_refuses_is_not_kept(cli, issuer, tmp_path):
    issuer.keys[0] = tokens.Key("ES256", "second")
    issuer.failing = False
    issuer.lifetime = -100
    done = log_in(cli, issuer, "--user", identity.USER, stdin=identity.PASSWORD.encode())
    assert done.returncode == 3
    assert b"the server refuses it" in done.stderr
    assert not (tmp_path / ".config/sluice/tokens").exists()


def test_a_logout_gives_the_token_back_and_forgets_it(cli, issuer, tmp_path):
    by_password(cli, issuer)
    refresh = json.loads(token_file(tmp_path).read_text())["refreshToken"]
    assert cli.run("logout").returncode == 0
    assert issuer.revoked == [refresh]
    assert cli.run("list").returncode == 3
    assert b"nobody was logged in" in cli.run("logout").stderr


def test_a_logout_forgets_also_where_the_issuer_is_gone(cli, issuer):
    by_password(cli, issuer)
    issuer.stop()
    done = cli.run("logout")
    assert done.returncode == 0
    assert b"not given back" in done.stderr and b"logged out" in done.stderr


def test_an_issuer_that_can_not_be_reached_is_exit_code_5(cli):
    done = cli.run("login", "--issuer", "http://127.0.0.1:1", "--client-id", "x")
    assert done.returncode == 5
    assert b"cannot reach http://127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("arguments, words", [
    ((), b"which issuer?"),
    (("--issuer", "https://issuer.example"), b"as which client?"),
    (("--issuer", "http://issuer.example", "--client-id", "x"), b"no https URL"),
    (("--issuer", "x", "--client-id", "x"), b"no http or https URL"),
])
def test_a_login_that_lacks_something_says_what(cli, arguments, words):
    done = cli.run("login", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


# --- config ---


def test_what_is_set_is_got_listed_and_used(tmp_path):
    cli = Cli.without_server(tmp_path)
    assert cli.run("config", "set", "server", "https://lab.example", "--cluster", "lab").returncode == 0
    assert cli.run("config", "set", "project", "vision").returncode == 0
    assert cli.run("config", "set", "server", "http://b.example:8080/api", "--cluster", "b").returncode == 0
    assert cli.run("config", "get", "project").stdout == b"vision\n"
    assert cli.run("config", "use", "b").returncode == 0
    assert cli.run("config", "get", "server").stdout == b"http://b.example:8080/api\n"
    listed = json.loads(cli.run("config", "list", "-o", "json").stdout)
    assert listed == {"current": "b", "clusters": {"b": {"server": "http://b.example:8080/api"},
                                                   "lab": {"server": "https://lab.example", "project": "vision"}}}
    assert cli.run("config", "list").stdout.splitlines()[0].split() == [b"CURRENT", b"CLUSTER", b"SERVER",
                                                                        b"PROJECT", b"ISSUER"]


@pytest.mark.parametrize("arguments, code, words", [
    (("set", "projekt", "x"), 2, b'did you mean "project"?'),
    (("set", "server", "lab"), 2, b"no http or https URL"),
    (("set", "insecureSkipTlsVerify", "perhaps"), 2, b"expected true or false"),
    (("use", "lab"), 4, b"has no cluster yet"),
    (("get", "server"), 4, b"has no cluster yet"),
    (("frobnicate",), 2, b"no command"),
])
def test_what_can_not_be_configured_says_why(tmp_path, arguments, code, words):
    done = Cli.without_server(tmp_path).run("config", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
