"""Why the host of the core does not do what was asked.

SequencerError
├── Unfit             the command cannot be written down; mend it
├── NotAcknowledged   nobody knows whether the command is in the log; send it again, with the same request
└── Stopped           closed, or the session could not be rebuilt, or met a bug
"""


class SequencerError(Exception):
    """The sequencer cannot do what was asked; the message says what to do."""


class Unfit(SequencerError):
    """The command cannot be recorded, so it was not decided either."""


class NotAcknowledged(SequencerError):
    """Nobody knows whether the command is in the log; send it again, with the same request."""


class Stopped(SequencerError):
    """The sequencer takes no commands any more."""
