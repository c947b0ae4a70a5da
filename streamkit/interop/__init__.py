"""Floor 4: neighbours, one module each, imported when they are first used."""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, {__name__: ("aiostream", "reactive_streams", "rx")})
