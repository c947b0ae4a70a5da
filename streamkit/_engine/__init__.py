"""Floor 2: how streams run. Knows no operator."""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit._engine import blocking, book, drive, explain, iteration, pools, run
else:  # a way to read a stream, or the machinery of the stages, is loaded when it is first used
    __getattr__, __dir__ = lazily(
        __name__, {__name__: ("blocking", "book", "drive", "explain", "iteration", "pools", "run")}
    )

__all__ = ["blocking", "book", "drive", "explain", "iteration", "pools", "run"]
