"""Arguments of the family `timing`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    SECONDS,
    Way,
    mapped,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "debounce": ways(
        "debounce", lambda lab, **given: ops.debounce(**given, on_drop=lab.drop), seconds=SECONDS
    ),
    "keep_alive": ways(
        "keep_alive", lambda lab, **given: ops.keep_alive(**given, function=lambda: None), seconds=SECONDS
    ),
    "sample": ways("sample", lambda lab, **given: ops.sample(**given, on_drop=lab.drop), seconds=SECONDS)
    | ways("sample", lambda lab: ops.sample(signal=lab.source(), on_drop=lab.drop) | mapped(lab)),
    "timeout": ways("timeout", lambda lab: ops.timeout(1e6))
    | ways("timeout", lambda lab: ops.timeout(first=1e6, total=1.0, fallback=lab.source())),
}
