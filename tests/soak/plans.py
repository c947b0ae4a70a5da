"""Plans: what goes wrong in the trials of a pipeline, drawn so that most faults are met."""

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.soak.kit import Plan
from tests.soak.line import Line
from tests.soak.pipeline import Pipeline, sources_in
from tests.soak.reference import Reference
from tests.soak.words import Inner
from tests.soak.words_of_errors import GOES_ON

__all__ = ["plans"]

RESTARTING = {"retry", "repeat", "catch", "materialize", "dematerialize"}
"""Behind these, an error of a clean-up is one more that they act on."""
KINDS = (
    "source",
    "source",
    "call",
    "call",
    "hang",
    "leave",
    "leave",
    "stop",
    "raise",
    "stall",
    "give up",
    "pause",
    "cancel",
    "cancel",
    "shutdown",
)


def plans(random: Random, pipeline: Pipeline, steps: int, count: int) -> Iterator[Plan]:
    """So many plans for `pipeline`, a run of which takes so many `steps` of the loop."""
    reference = Reference()
    line = pipeline.line(reference)
    for _ in range(count):
        yield plan(random, pipeline, reference.calls, line, steps)


def plan(random: Random, pipeline: Pipeline, calls: dict[int, list[Any]], line: Line, steps: int) -> Plan:
    """One plan: how all of them are, and one thing that ends the run, or none."""
    timed = pipeline.mode == "T"
    given = ordinary(random, pipeline)
    kind = random.choice(KINDS)
    if kind == "hang" and "keep_alive" in {step.word for step in pipeline.steps}:
        kind = "cancel"  # it would go on for ever
    delivered = len(line.events)
    match kind:
        case "source":
            source = random.choice([*sources_in(pipeline)])
            at = random.randint(0, len(source.gaps))
            given["fails"] = ("source", source.number, at, random.randint(1, 2))
        case "call" if any(calls.values()):
            place = random.choice([place for place, values in calls.items() if values])
            given["fails"] = ("call", place, random.choice(calls[place]))
        case "hang":
            source = random.choice([*sources_in(pipeline)])
            given["hangs"] = (source.number, random.randint(0, len(source.gaps)))
            given["style"] = "turn" if given["style"] == "plain" else given["style"]
            given["stubborn"] = False  # it would ignore that it is cancelled, and hang again
        case "leave":
            ways = ("open", "polls", "iterator", "bare")
            way = random.choice(ways if given["closing"] != "raises" else ways[:3])
            given |= {"consumer": ("leave", random.randint(0, delivered)), "way": way}
        case "stop" | "pause" if delivered and not (timed and kind == "pause"):
            given |= {"consumer": (kind, random.randint(1, delivered)), "way": "job"}
            given["eager"] = False  # an eager job may be there before its handle is
        case "raise" | "stall" if delivered and not (timed and kind == "stall"):
            ways = ("open", "job", "polls", "bare")
            way = random.choice(ways if given["closing"] != "raises" else ways[:3])
            given |= {"consumer": (kind, random.randint(1, delivered)), "way": way}
        case "give up":
            at = random.randint(1, delivered + 1)
            given |= {"consumer": (kind, at), "way": random.choice(("polls", "iterator"))}
        case "cancel" | "shutdown":
            if given["closing"] == "raises":  # a cancellation that a source answers with an error is an error
                given["closing"] = "slow"
            again = [random.randint(1, 9)] if kind == "cancel" and random.random() < 0.3 else []
            given["consumer"] = (kind, random.randint(1, max(1, steps)), *again)
        case _:
            pass
    if "fails" not in given and random.random() < 0.5:
        given |= failing_beside(random, pipeline, calls)
    return Plan(**given)


def ordinary(random: Random, pipeline: Pipeline) -> dict[str, Any]:
    """How a run is where nothing goes wrong yet."""
    timed = pipeline.mode == "T"
    given: dict[str, Any] = {
        "look": random.choice((1e-5, 1e-3, 6e-3)),
        "seed": random.randrange(2**30),
        "form": random.choice(("fused", "fused", "alone", "hops")),
        "way": random.choice(("open", "open", "bare", "job", "sink", "polls", "iterator")),
        "style": random.choice(
            ("ready", "turn", "object") if timed else ("ready", "turn", "drip", "object", "plain")
        ),
        "calls": random.choice(("sync", "sync", "async", "drip", "mixed")),
        "closing": random.choice(closings(pipeline)),
        "stubborn": not timed and random.random() < 0.15,
        "eager": random.random() < 0.15,
    }
    if given["way"] == "bare" and given["closing"] == "raises":
        given["closing"] = "slow"  # nobody is there to be told: the loop is
    return given


def failing_beside(random: Random, pipeline: Pipeline, calls: dict[int, list[Any]]) -> dict[str, Any]:
    """A callback that fails beside all else, of an operator that goes on then, if there is one."""
    places = [step.place for step in pipeline.steps if step.word in GOES_ON and calls.get(step.place)]
    if not places:
        return {}
    place = random.choice(places)
    return {"fails": ("call", place, random.choice(calls[place]))}


def closings(pipeline: Pipeline) -> tuple[str, ...]:
    """What clean-ups may do, so that it is clear what comes of it."""
    if pipeline.mode == "T":
        return ("", "", "turn")
    if any(Inner() in step.given.values() for step in pipeline.steps):
        return ("", "", "turn", "slow")
    if RESTARTING & {step.word for step in pipeline.steps}:
        return ("", "", "turn", "slow")
    return ("", "", "turn", "slow", "raises")
