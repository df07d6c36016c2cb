"""What a report of the Autobahn test suite says, and whether it is good enough."""
import collections
import fnmatch

GOOD = {"OK", "INFORMATIONAL"}

Outcome = collections.namedtuple("Outcome", "behavior close")


def read(index):
    """{case: Outcome} of the one agent in an index.json, in the suite's order."""
    (cases,) = index.values()
    outcomes = {case: Outcome(found["behavior"], found["behaviorClose"]) for case, found in cases.items()}
    return dict(sorted(outcomes.items(), key=lambda item: number_of(item[0])))


def number_of(case):
    return tuple(int(part) for part in case.split("."))


def choose(cases, patterns, excluded):
    """Those that match a pattern and none of the excluded ones."""
    def matches(case, any_of):
        return any(fnmatch.fnmatchcase(case, pattern) for pattern in any_of)
    return [case for case in cases if matches(case, patterns) and not matches(case, excluded)]


def complaints(outcomes, expected):
    """What is wrong: a case that is missing, or that did not come out as it must."""
    for case in sorted(set(expected) - set(outcomes), key=number_of):
        yield f"{case}: was not run"
    for case, outcome in outcomes.items():
        if not GOOD.issuperset(outcome):
            yield f"{case}: {outcome.behavior}, close {outcome.close}"


def table(roles):
    """{role: {case: Outcome}} as lines of text, a case each."""
    cases = sorted(set().union(*roles.values()), key=number_of)
    yield " ".join([f"{'case':8}"] + [f"{role:14} {'its close':14}" for role in roles]).rstrip()
    for case in cases:
        columns = [f"{case:8}"]
        for outcomes in roles.values():
            outcome = outcomes.get(case, Outcome("-", "-"))
            columns.append(f"{outcome.behavior:14} {outcome.close:14}")
        yield " ".join(columns).rstrip()
