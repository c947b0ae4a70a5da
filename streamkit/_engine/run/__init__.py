"""What happens while a stream runs: starting, pumping, leaving, and the ways to read it.

This is a door for what only some programs need: a stream that is made and never polled loads none of it.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit._engine.run.polls import Polls as Polls
    from streamkit._engine.run.tasks import Tasks as Tasks
else:
    __getattr__, __dir__, __all__ = lazily()
