"""Two sides that take turns, so that other work on the machine meets both."""


def alternate(own, peer, rounds=3):
    """The least that each measures, of seconds or the like."""
    measured = [(own(), peer()) for _ in range(rounds)]
    return tuple(min(side) for side in zip(*measured))
