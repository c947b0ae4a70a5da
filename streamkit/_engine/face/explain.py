"""Explaining a pipeline before it runs: what is fused, what buffers where, and the bound in items.

The unit is the item that the source gives: a batch of 3 counts 3. What is taken out of such a batch, or made
of it, counts for what it may hold: of a batch of batches ``flatten`` makes batches again. The sum is made of

- what each step keeps between two pulls, and what each stage holds, as their contracts say;
- one item in the hand of each task that reads: the consumer's, and those that pump into stages; less the
  one place that such a pump reserves, before it pulls, where its item goes.

What several readers share runs once: where the second of them stands, only what it holds itself is counted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from streamkit._core.arguments import Composed
from streamkit._core.contract import UNBOUNDED, Behaviour, Contract, amount
from streamkit._core.strategy import Strategy, Suspend
from streamkit._core.value import alike
from streamkit._engine.compile.key import End, Kind, Pairs
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.face.explanation import Explanation, Part
from streamkit._engine.face.weight import ONE, Runs, Weight, heaviest, paired
from streamkit._engine.plan.fuse import collapsed
from streamkit._engine.plan.link import Inlet, Link, flattened, shares
from streamkit._engine.plan.source import Source
from streamkit._engine.plan.tracked import opened

__all__ = ["explain", "explained"]


def explain(source: Source, links: Sequence[Link], *, code: bool = False) -> Explanation:
    """Explain the pipeline of `links` over `source`."""
    parts, _ = _worked_out(_pipeline(source, links, 0, None, Runs()))
    loops = tuple(_code(source, links)) if code else ()
    ledgers = {(each, id(by)) for each, by in opened([Inlet[Any](source, tuple(links))], beside=True)}
    in_flight = sum(each.most for each, _ in ledgers)
    return Explanation(parts=tuple(parts), code=loops, in_flight=in_flight)


def _worked_out(first: Generator[Any, Any, Any]) -> Any:
    """What `first` returns. It yields what it is to be sent the result of, and so does that.

    So pipelines may be nested in each other deeper than calls may be.
    """
    stack: list[Generator[Any, Any, Any]] = [first]
    result: Any = None
    while stack:
        try:
            stack.append(stack[-1].send(result))
            result = None
        except StopIteration as end:
            stack.pop()
            result = end.value
    return result


def explained(source: Source, links: Sequence[Link], weight: Weight) -> tuple[list[Part], Weight]:
    """The parts of a pipeline each of whose items counts for `weight`; and what a result of it counts for."""
    found: tuple[list[Part], Weight] = _worked_out(_pipeline(source, links, 0, None, Runs(), weight))
    return found


def _groups(links: Sequence[Link]) -> Iterator[list[Link]]:
    """Segments and stages, in order: neighbouring steps are one group."""
    group: list[Link] = []
    for link in links:
        if link.declaration.stage is None:
            group.append(link)
            continue
        if group:
            yield group
        yield [link]
        group = []
    if group:
        yield group


def _places(links: Sequence[Link], begin: int) -> Iterator[tuple[int, list[Link]]]:
    """The groups of `links` from `begin` on, as they run; where one is a ``share``, its place is with it.

    What stands before a ``share`` never runs as one with what stands behind it.
    """
    cuts = [place for place in range(begin + 1, len(links)) if shares(links[place])]
    for first, end in pairwise([begin, *cuts, len(links)]):
        for group in _groups(collapsed(links[first:end])):
            yield first, group


class _Chain:
    """What one task does with an item before it rests: segments, and stages that read in place."""

    def __init__(self, start: float) -> None:
        self.start = start
        """How many items of the source the item in its hand counts for, as it comes in."""
        self.parts: list[Part] = []
        self.spreads = False

    def ended(self, weight: float, before: Link | None, *, reserved: bool) -> tuple[list[Part], float]:
        """The parts, with the item in hand, less the place that was `reserved` for it where it goes.

        And what the stage `before` has in hand, where nothing stands between that and where it goes.
        """
        if not self.parts:
            stage = None if before is None or reserved else before.declaration
            return [], weight if stage is not None and (stage.generates or stage.hands_over) else 0
        kept = sum(part.holds for part in self.parts)
        total = kept + self.start
        if reserved and not self.spreads:
            total = max(0, total - weight)
        if kept != UNBOUNDED:
            place, first = max(enumerate(self.parts), key=lambda each: each[1].holds)
            self.parts[place] = first.but(holds=first.holds + total - kept)
        return self.parts, 0


def _pipeline(
    source: Source | None,
    links: Sequence[Link],
    depth: int,
    reader: Link | None,
    runs: Runs,
    weight: Weight = ONE,
) -> Generator[Any, Any, tuple[list[Part], Weight]]:
    """The parts of one pipeline, read by `reader` or the consumer; and what one item of it counts for."""
    begin, shared = runs.last(source, links)
    weight = weight if shared is None else shared
    parts = list[Part]()
    if source is not None:
        parts.append(_source(source, depth) if shared is None else _above(source, links[:begin], depth))
        for each in source.beside if shared is None else ():
            inner, _ = yield _pipeline(each.source, each.links, depth + 1, None, runs)
            parts += inner
    chain = _Chain(weight.items)
    last: Link | None = None
    for place, group in _places(links, begin):
        before, last = last, group[0]
        if last.declaration.stage is None:
            part, weight = _segment(group, weight, depth)
            chain.parts.append(part)
            chain.spreads = chain.spreads or any(
                link.declaration.contract.spreads or link.branches for link in flattened(group)
            )
        elif last.declaration.pumps:
            _end(parts, chain, weight.items, before, depth, reserved=_reserves(last))
            if last is links[place]:
                runs.add(source, links, place, weight)
            through = before is not None and before.declaration.buffers
            again = before is None and shared is not None
            part, inner, weight = yield _stage(last, weight, depth, runs, through=through, again=again)
            if run := runs.read(source, links, place, last):
                weight = weight._replace(run=run, apart=weight.alone if weight.run else None)
            parts += [part, *inner]
            # who has it step its source has the item before in hand still
            chain = _Chain(weight.items * (1 + last.declaration.hands_over))
        else:
            part, inner, weight = yield _stage(last, weight, depth, runs)
            chain.parts += [part, *inner]
            chain.start = max(chain.start, weight.items)  # its streams take turns in the same hand
    _end(parts, chain, weight.items, last, depth, reserved=_reserves(reader, others=True))
    return parts, weight


def _end(
    parts: list[Part], chain: _Chain, weight: float, before: Link | None, depth: int, *, reserved: bool
) -> None:
    """Add the parts of `chain`; where it has none, what the stage before it has in hand."""
    ended, extra = chain.ended(weight, before, reserved=reserved)
    parts += ended
    if extra:
        place = max(place for place, part in enumerate(parts) if part.depth == depth)
        parts[place] = parts[place].but(holds=parts[place].holds + extra)


def _source(source: Source, depth: int) -> Part:
    strategy = source.strategy
    if strategy is None:
        return Part(text=repr(source), kind="source", holds=0, depth=depth)
    holds = strategy.limit if strategy.overflows and strategy.limit is not None else UNBOUNDED
    behaviour = _BUFFER.behaviour({"holds": holds, "loses": strategy.loses})
    return Part(
        text=repr(source),
        kind="source",
        holds=holds,
        lookahead=holds,
        strategy=repr(strategy),
        loses=strategy.loses,
        behaviour=behaviour,
        depth=depth,
    )


def _above(source: Source, links: Sequence[Link], depth: int) -> Part:
    """What stands for `links` over `source`, which were explained where the first of the readers is."""
    last = [f"{link.declaration.name}(...)" for link in links[-1:]]
    text = " | ".join([repr(source), *["..."] * (len(links) > 1), *last])
    return Part(text=f"{text}, as above", kind="source", holds=0, depth=depth)


_BUFFER = Contract(holds="holds", loses="loses")


def _gives_way(stage: Link) -> bool:
    """Whether nobody asked for what `stage` reads ahead of each source, so that a buffer replaces it."""
    return alike(stage.arguments.get("lookahead", 1), 1)


def _reserves(stage: Link | None, *, others: bool = False) -> bool:
    """Whether what reads a source of `stage`, the first or one of the `others`, reserves a place first."""
    if stage is None or stage.declaration.contract.chooses:  # what loses a race has no place
        return False
    contract = stage.declaration.contract
    if others and not contract.mixed:  # one that is read in place takes turns with it
        return True
    ahead = amount(contract.of_others[1] if others else contract.lookahead, stage.arguments)
    return (others or stage.declaration.pumps) and bool(ahead != UNBOUNDED)


def _segment(links: list[Link], weight: Weight, depth: int) -> tuple[Part, Weight]:
    kept, weight = _kept(links, weight)
    every = flattened(links)
    result = ", ".join(link.declaration.contract.result for link in every if link.declaration.contract.result)
    behaviours = [link.declaration.contract.behaviour(link.arguments) for link in every]
    part = Part(
        text=" | ".join(map(repr, links)),
        kind="segment",
        holds=kept,
        keys=sum(amount(link.declaration.contract.keys, link.arguments) for link in every),
        behaviour=max(behaviours, key=[*Behaviour].index),
        result=result,
        depth=depth,
        at_end=any(link.declaration.contract.at_end for link in links),
    )
    return part, weight


def _kept(links: Sequence[Link], weight: Weight) -> tuple[float, Weight]:
    """What steps keep between two pulls; and what one item that comes out of them counts for."""
    kept = 0.0
    for link in links:
        contract = link.declaration.contract
        branches = [_kept(branch, weight) for branch in link.branches]
        times = amount(contract.times, link.arguments)
        kept += amount(contract.holds, link.arguments) * weight.items
        kept += sum(times * held for held, _ in branches)
        weight = weight.after(link)
        if branches:
            weight = heaviest([weight, *(each.alone for _, each in branches)])
        if link.declaration.groups:
            weight = Weight(weight.items)  # pairs of a key and one of these
    return kept, weight


def _stage(
    link: Link, weight: Weight, depth: int, runs: Runs, *, through: bool = False, again: bool = False
) -> Generator[Any, Any, tuple[Part, list[Part], Weight]]:
    """A stage with what is nested in it; `through`, if it reads through a buffer, which then is its own.

    It is there `again`, if it is one more reader of a shared run.
    """
    contract, arguments = link.declaration.contract, _without_entries(link)
    if again and contract.again_holds:
        contract = contract.but(holds=contract.again_holds)
    weights, inner, out, wider = [weight], list[Part](), 0.0, 0.0
    times = amount(contract.times, arguments)
    own = [0.0 if through and _gives_way(link) else weight.items]
    for value in [value for name, value in arguments.items() if name[0] != "_"]:
        for each in _several(value):
            if isinstance(each, Inlet):
                parts, other = yield _pipeline(each.source, each.links, depth + 1, link, runs)
                weights.append(other)
                through = bool(each.links) and each.links[-1].declaration.buffers
                own.append(0.0 if through and _gives_way(link) else other.items)
                inner += parts
            elif isinstance(each, Composed) and each.links:  # a branch: operators without a source
                sink = each.links[-1].declaration.sink
                parts, other = yield _branch(each.links, weight, depth + 1, None if sink else link, runs)
                inner += [
                    part.but(holds=part.holds * times, lookahead=part.lookahead * times) for part in parts
                ]
                weights.append(other)
                if contract.times == "1" and contract.holds != "0" and not sink:  # for items as they come in
                    wider += max(other.items - weight.items, 0)
                elif contract.times != "1":
                    out = 0 if sink else times * other.items  # a place for what comes out of each
    counted = max(own) if contract.chooses else sum(own) if contract.per_source else weight.items
    holds, ahead = _read(contract, arguments, counted, [each.items for each in weights])
    part = Part(
        text=f"{link.declaration.name}(...)" if inner else repr(link),
        kind="stage",
        holds=holds + out + wider,
        lookahead=ahead + out,
        keys=amount(contract.keys, arguments),
        strategy=_own_strategy(arguments),
        loses=amount(contract.loses, arguments),
        behaviour=contract.behaviour(arguments),
        result=contract.result,
        depth=depth,
        at_end=contract.at_end,
    )
    if contract.together:
        return part, inner, paired(weights, link)
    return (
        part,
        inner,
        (weight if len(weights) == 1 else heaviest([each.alone for each in weights])).after(link),
    )


def _branch(
    links: Sequence[Link], weight: Weight, depth: int, reader: Link | None, runs: Runs
) -> Generator[Any, Any, tuple[list[Part], Weight]]:
    """The parts of a branch. A buffer at its start is what the items are put into, and fuses with none."""
    if not links[0].declaration.buffers:
        # `_worked_out` sends the result of what is yielded, of which a generator cannot say the type
        return (yield _pipeline(None, links, depth, reader, runs, weight))  # type: ignore[no-any-return]
    entry, _, weight = yield _stage(links[0], weight, depth, runs)
    parts, weight = yield _pipeline(None, links[1:], depth, reader, runs, weight)
    return [entry, *parts], weight


_NO_ROOM = Suspend(1).sized(0)


def _without_entries(link: Link) -> dict[str, Any]:
    """The arguments of `link`, where the buffers with which its branches begin hold nothing.

    Its contract counts them, and they are told of where they stand.
    """
    pipes = [each for value in link.arguments.values() for each in _several(value)]
    first = [each.links[0] for each in pipes if isinstance(each, Composed) and each.links]
    entries = [each.arguments["strategy"] for each in first if each.declaration.buffers]
    if not entries:
        return link.arguments

    def emptied(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple([emptied(each) for each in _several(value)])  # pyright: ignore[reportUnknownArgumentType] - as above
        return _NO_ROOM if any(value is each for each in entries) else value

    return {name: emptied(value) for name, value in link.arguments.items()}


def _own_strategy(arguments: Mapping[str, Any]) -> str:
    found = [each for each in arguments.values() if isinstance(each, Strategy) and each is not _NO_ROOM]
    return repr(found[0]) if found else ""


def _read(
    contract: Contract, arguments: Mapping[str, Any], counted: float, weights: Sequence[float]
) -> tuple[float, float]:
    """What a stage holds and reads ahead of its sources, whose items count for `weights`.

    Where it reads all of them in one way, its numbers are for items that are `counted` so.
    """
    formulas = contract.holds, contract.lookahead
    if not contract.mixed:
        holds, ahead = [amount(formula, arguments) * counted for formula in formulas]
        return holds, ahead
    first, *others = weights
    holds, ahead = [
        amount(one, arguments) * first + sum(amount(other, arguments) * weight for weight in others)
        for one, other in zip(formulas, contract.of_others, strict=True)
    ]
    return holds, ahead


def _several(value: object) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return (*value,)  # pyright: ignore[reportUnknownVariableType] - mypy knows, and rejects a cast
    return (value,)


def _code(source: Source, links: Sequence[Link]) -> Iterator[str]:
    kind = Kind.ITER if source.blocking else Kind.ASYNC
    if isinstance(source.value, (range, list, tuple)):
        kind = Kind.SLICE
    for group in _groups(links):
        if group[0].declaration.stage is not None:
            kind = Kind.ASYNC if group[0].declaration.generates else Kind.CHANNEL
            continue
        end = End.RESULT if group[-1].declaration.sink else End.STAGE
        yield from _texts(kind, group, end, Pairs.TAKES if source.tracked else None)


def _texts(kind: Kind, links: list[Link], end: End, pairs: Pairs | None) -> Iterator[str]:
    loop: Any = compiled(kind, tuple(link.key for link in links), end, pairs=pairs)
    if isinstance(loop, Loop):
        yield loop.text
    else:
        yield from _texts(kind, links[:loop], End.STAGE, pairs)
        yield from _texts(Kind.ASYNC, links[loop:], end, pairs)
