"""Sides that take turns, so that other work on the machine meets all of them."""


def alternate(*sides, rounds=3):
    """The least that each measures, of seconds or the like."""
    measured = [[side() for side in sides] for _ in range(rounds)]
    return tuple(min(side) for side in zip(*measured))
