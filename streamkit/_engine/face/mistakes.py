"""What newcomers get wrong where pipes are written, answered with what to write instead."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterable, Collection, Iterable, Mapping, Sequence
from inspect import isfunction
from typing import Any, Final, NoReturn

from streamkit._core.arguments import Composed, is_said
from streamkit._core.catalogue import Declaration
from streamkit._core.elsewhere import line
from streamkit._core.lazy import listed
from streamkit._core.show import named, shown
from streamkit._core.strategy import Strategy
from streamkit._engine.plan.link import Inlet, Link

__all__ = [
    "OF_EMITTERS",
    "OF_HANDLES",
    "OF_HUBS",
    "OF_JOBS",
    "OF_PIPES",
    "OF_STREAMS",
    "added",
    "attribute",
    "behind_sink",
    "beside",
    "called",
    "check_decorated",
    "check_pieces",
    "element",
    "entered",
    "instead",
    "made",
    "never_run",
    "no_items",
    "no_operator",
    "no_result",
    "one_by_one",
    "one_source",
]

_RESULT: Final = "it runs for a sink, so write await (stream | ops.to_list()) or (...).run()"
_SOURCE: Final = "an operator runs in a stream, so write Stream(source) | operator"
_STARTED: Final = "a job that was started has it, so write handle = job.start()"
_ITEMS: Final = "write async with stream.open() as items"

OF_STREAMS: Final = {
    "add_done_callback": _RESULT,
    "aclose": _ITEMS,
    "close": _ITEMS,
    "result": _RESULT,
    "run": _RESULT,
    "start": _RESULT,
    "start_in_thread": _RESULT,
    "stop": _RESULT,
    "stream": _ITEMS,
}
OF_PIPES: Final = dict.fromkeys(("add_done_callback", "explain", "open", "run", "start", "stop"), _SOURCE)
OF_JOBS: Final = {
    **dict.fromkeys(("buffers", "cancel", "done", "pause", "paused", "result", "resume", "stop"), _STARTED),
    **dict.fromkeys(
        ("join", "put", "put_all"), "a job in a thread has it, so write running = job.start_in_thread()"
    ),
    "add_done_callback": "asyncio.wait() takes tasks, so write asyncio.create_task(job)",
    "open": "a job has a result and no items, so write await job, or open the stream before the sink",
}
OF_HANDLES: Final = {
    "add_done_callback": "asyncio.wait() takes tasks, so write asyncio.ensure_future(handle)",
    **dict.fromkeys(("aclose", "cancel", "close", "dispose", "unsubscribe"), "write await handle.stop()"),
    **dict.fromkeys(("join", "wait"), "write await handle"),
    "stats": "write handle.buffers()",
    "cancelled": "write handle.done, and await handle",
    "exception": "write await handle",
    "result": "write await handle",
    "run": "the job runs already, so write await handle",
    "start": "the job runs already, so write await handle",
}
OF_EMITTERS: Final = {
    **dict.fromkeys(("on_completed", "complete", "aclose", "end", "stop"), "write emitter.close()"),
    **dict.fromkeys(("on_error", "error", "throw"), "write emitter.fail(error)"),
    **dict.fromkeys(
        ("append", "emit", "next", "on_next", "push", "put", "put_nowait", "publish", "send_nowait"),
        "write emitter.offer(item), or await emitter.send(item), which waits for room",
    ),
    "asend": "write await emitter.send(item)",
}
OF_HUBS: Final = {
    **dict.fromkeys(("on_completed", "complete", "aclose", "remove_all_listeners"), "write hub.close()"),
    **dict.fromkeys(("on_error", "error", "throw"), "write hub.fail(error)"),
    **dict.fromkeys(
        ("asend", "dispatch", "emit", "emit_async", "next", "on_next", "publish", "push", "put"),
        "write await hub.send(item), or hub.offer(item), which does not wait",
    ),
    **dict.fromkeys(
        ("add_listener", "connect", "listen", "on", "subscribe"),
        "write (hub.stream() | ops.for_each(handler)).start()",
    ),
    "once": "write (hub.stream() | ops.take(1) | ops.for_each(handler)).start()",
    **dict.fromkeys(("listeners", "listener_count"), "write hub.consumers"),
    **dict.fromkeys(
        ("disconnect", "off", "remove_listener", "unsubscribe"),
        "write await handle.stop(), of the handle that job.start() has given",
    ),
}


def attribute(owner: object, name: str, answers: Mapping[str, str], *, operators: str = "") -> AttributeError:
    """The error of an attribute that `owner` does not have, with what to write.

    Args:
        owner: the object.
        name: of the attribute.
        answers: what to write for some names.
        operators: what is written before an operator that was asked for by its name, here or elsewhere.
    """
    answer = answers.get(name)
    if answer is _SOURCE and isinstance(owner, Composed):
        answer = _begun(owner)
    code = line(name) if answer is None and operators else None
    if code is not None and code != _OPS and not code.startswith("Stream("):
        answer = f"write {operators if code.startswith(_BEHIND) else ''}{code}"
    words = f"{type(owner).__name__!r} object has no attribute {name!r}"
    return AttributeError(words if answer is None else f"{words}: {answer}", name=name, obj=owner)


def no_result() -> NoReturn:
    """Raise what to write for ``await stream``."""
    raise TypeError(f"a stream cannot be awaited: {_RESULT}")


def beside(left: object, other: Any) -> Any:
    """Raise what to write for ``left | other``, if `other` is a usual mistake; else NotImplemented."""
    if other is None:
        raise TypeError("None is no operator: the function that was to make it must return it")
    if isinstance(other, Inlet):
        raise TypeError(
            f"{shown(left)} cannot be joined to another stream with |: "
            "write stream | ops.merge(other), ops.concat(other) or ops.zip(other)"
        )
    if isinstance(other, (list, tuple)):
        raise TypeError(f"{shown(other)} is no operator{instead(other)}")
    if isinstance(other, Strategy):
        raise TypeError(f"a strategy is that of a buffer, so write | ops.buffer({shown(other)})")
    if words := _of_neighbour(other):
        raise TypeError(f"{words[0]}, so write | {words[1]}")
    if hasattr(other, _DECLARED):
        raise TypeError(f"{named(other)} is written with parentheses, so write | {named(other)}(...)")
    joins = any("__ror__" in vars(kind) for kind in type(other).__mro__)
    if _module(other).startswith("streamkit."):
        if joins and not isinstance(other, type):
            return NotImplemented  # a hop, which joins itself
        _ours(other)
    if not isinstance(other, type) and (joins or not callable(other)):
        return NotImplemented
    name = named(other)
    kind = "class" if isinstance(other, type) else "function"
    function = name if name.isidentifier() else "function"
    raise TypeError(
        f"the {kind} {name} is no operator: to call it with each item, write | ops.map({function})"
    )


def _ours(other: object) -> None:
    """Raise what to write, if `other`, a thing of ours, is no operator."""
    name = named(other) if callable(other) else type(other).__name__
    operator = line(name.lower()) or ""
    returns = str(getattr(other, "__annotations__", {}).get("return", ""))
    ours = _module(other).startswith(_OURS) and operator == f"ops.{name}(...)"
    if ours or returns.startswith("Sink["):
        raise TypeError(f"{name} is written with parentheses, so write | {name}(...)")
    code = f": write | {operator}" if operator.startswith("ops.") else ""
    raise TypeError(f"{name} is no operator{code}")


_DECLARED: Final = "__streamkit__"
_OURS: Final = ("streamkit.operators", "streamkit.sinks")
_NEIGHBOURS: Final = {
    "reactivex": ("RxPY", "rx.operator({}, strategy=Suspend(16))"),
    "aiostream": ("aiostream", "aiostream.operator({})"),
}


def _module(value: object) -> str:
    return str(getattr(value, "__module__", ""))


def _of_neighbour(value: object) -> tuple[str, str] | None:
    """For an operator of RxPY or aiostream: what it is, and how it is written in our pipe."""
    neighbour = _NEIGHBOURS.get(_module(value).partition(".")[0])
    if neighbour is None or isinstance(value, type) or not callable(value):
        return None
    package, code = neighbour
    path: str = getattr(value, "__qualname__", type(value).__name__)
    # what a call has made has no name of its own
    operator = "operator" if "<locals>" in path else f"{path.partition('.')[0]}(...)"
    return f"an operator of {package} runs inside of one of ours", code.format(operator)


def instead(argument: object, *, several: bool = False) -> str:
    """What to write instead of an `argument` that was to be an operator, if it is a usual mistake.

    Args:
        argument: what was given.
        several: whether others may follow it.
    """
    if isinstance(argument, (list, tuple)):
        return ": give them one by one, or write *operators" if several else ": join them with |"
    return f": write {named(argument)}(...)" if hasattr(argument, _DECLARED) else ""


def no_operator(source: object) -> None:
    """Raise what to write, if the function `source` is an operator: ours without parentheses, or theirs."""
    if _DECLARED in vars(source):
        raise TypeError(
            f"the operator {named(source)} is no source: write Stream(source) | {named(source)}(...)"
        )
    if words := _of_neighbour(source):
        raise TypeError(f"{words[0]}, so write Stream(source) | {words[1]}")


def called(pipe: object, stream: object) -> NoReturn:
    """Raise what to write for ``pipe(stream)``, as the pipes of RxPY and aiostream call their operators."""
    words = shown(pipe)
    if type(stream).__module__.startswith("aiostream"):
        raise TypeError(
            f"{words} is no operator of aiostream: write aiostream.from_aiostream(stream) | {words}"
        )
    if is_said(lambda each: hasattr(each, "subscribe"), stream):
        code = f"observable.pipe(rx.pipeable({words}, strategy=Suspend(16)))"
        raise TypeError(f"{words} is no operator of RxPY: write {code}")
    raise TypeError(f"an operator is not called, but joined to a stream: write Stream(source) | {words}")


def added(left: object, other: object) -> Any:
    """Raise what to write for ``left + other``."""
    if not isinstance(other, (Iterable, AsyncIterable)):
        return NotImplemented
    raise TypeError(f"streams are not added: write {shown(left)} | ops.concat(other), or ops.merge(other)")


def element(where: object) -> NoReturn:
    """Raise what to write for ``stream[where]``."""
    code = (
        "ops.skip(start) | ops.take(count)" if isinstance(where, slice) else "ops.skip(number) | ops.first()"
    )
    raise TypeError(f"a stream has no numbered items: write stream | {code}")


def entered() -> NoReturn:
    """Raise what to write for ``async with stream``."""
    raise TypeError(f"a stream is opened: {_ITEMS}")


def behind_sink(sink: object, other: object) -> NoReturn:
    """Raise what to write for an operator behind a sink."""
    raise TypeError(f"nothing can stand behind the sink {sink!r}: write {named(other)} before it")


def one_source(sources: Sequence[object]) -> NoReturn:
    """Raise what to write for a stream of several sources."""
    words = ", ".join(map(named, sources))
    raise TypeError(
        f"a stream has one source, not {len(sources)}: to read several, "
        f"write streamkit.merge({words}) or streamkit.concat({words})"
    )


def one_by_one(name: str, source: object) -> None:
    """Raise if the one source is a list or tuple of streams, which was meant to be several sources."""
    kind: type = type(source)
    if not isinstance(source, (list, tuple)) or not source:
        return
    streams: Collection[object] = source  # pyright: ignore[reportUnknownVariableType]
    if all(isinstance(each, (Inlet, AsyncIterable)) for each in streams):  # pyright: ignore[reportUnknownVariableType]
        raise TypeError(
            f"sources must be given one by one, not as one {kind.__name__}: write {name}(*sources)"
        )


def never_run(words: str, link: Link) -> None:
    """Warn of a job that was thrown away without a run, where its sink was written."""
    if not sys.is_finalizing():  # pragma: no branch - where the interpreter ends, no test runs any more
        warnings.warn_explicit(
            f"{words} was never awaited: write await job, job.run() or job.start()",
            RuntimeWarning,
            *link.written,
        )


def no_items(pipe: Composed) -> NoReturn:
    """Raise what to write where the items of an operator are asked for."""
    raise TypeError(f"{shown(pipe)} has no items: {_begun(pipe)}")


def _begun(pipe: Composed) -> str:
    """What to write where `pipe` was taken for a stream; one that joins streams may also begin one."""
    first = pipe.links[0].declaration
    if "sources" in first.parameters and first.name in listed(_FRONT):  # others only share a name
        return f"where no stream comes first, write streamkit.{first.name}(...)"
    return _SOURCE


def made(pipe: object, declaration: Declaration, arguments: Mapping[str, object]) -> NoReturn:
    """Raise what to write for an operator that was made with the wrong `arguments`."""
    name, needed = declaration.name, sorted(declaration.needed)
    given = " and ".join(sorted(arguments.keys() - declaration.taken)) or "without it"
    takes = " and ".join(needed or sorted(declaration.taken)) or "no arguments"
    code = ", ".join([declaration.function.__name__, *[f"{each}=..." for each in needed]])
    raise TypeError(
        f"the operator {name} must be made with {takes}, not {given}: write {type(pipe).__name__}({code})"
    )


def check_decorated(decorator: str, function: object) -> None:
    """Raise if what stands below a decorator is no function."""
    if not isfunction(function):
        raise TypeError(
            f"{decorator} must stand above the function that makes the operator, not {shown(function)}"
        )


def check_pieces(**pieces: object) -> None:
    """Raise if a piece of a step is no text."""
    for name, piece in pieces.items():
        if not isinstance(piece, str):
            hint = f': to call it, write {name}="emit(function(item))"' if callable(piece) else ""
            raise TypeError(f"{name} must be Python in quotes, not {shown(piece)}{hint}")


_FRONT: Final = "streamkit"
_OPS: Final = "ops"
"""What a line says of ``pipe``: nothing that helps where an attribute is missing."""
_BEHIND: Final = ("ops.", "rx.")
"""How what is written behind a stream begins."""
