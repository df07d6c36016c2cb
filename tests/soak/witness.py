"""A client that remembers how what it asked for was refused, or ended."""
from support.client import Client
from support.rawws import Refused

UNAVAILABLE = (502, 503, 504)
INTERNAL_ERROR = 1011  # RFC 6455, section 7.4.1


class Witness(Client):
    """For one visit."""

    def __init__(self, server, token, tls=None):
        super().__init__(server, token, tls)
        self._answers = []
        self._sessions = []

    def get(self, *arguments, **options):
        self._answers.append(super().get(*arguments, **options))
        return self._answers[-1]

    def open(self, *arguments, **options):
        try:
            self._sessions.append(super().open(*arguments, **options))
        except Refused as refused:
            self._answers.append(refused.response)
            raise
        return self._sessions[-1]

    def refusal(self):
        """The words in which something was refused for a failure behind the server; None: nothing was."""
        return next((message_of(answer) for answer in self._answers
                     if answer.status in UNAVAILABLE and message_of(answer)), None)

    def end(self):
        """The words in which a session was ended for such a failure; None: none was."""
        return next((one.closed.reason for one in self._sessions
                     if one.closed and one.closed.code == INTERNAL_ERROR and one.closed.reason), None)


def message_of(answer):
    """None: it has none, as answers should."""
    try:
        return answer.message
    except (ValueError, KeyError, TypeError):
        return None
