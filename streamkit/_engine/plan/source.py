"""Sources: what a stream begins with, and how it is opened, once per run, and closed."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterable
from functools import partial
from inspect import CO_COROUTINE, isasyncgenfunction
from types import AsyncGeneratorType, FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any

from streamkit._core.arguments import Composed, awaitable, discard, is_said, makes_coroutine
from streamkit._core.errors import SourceConsumedError
from streamkit._core.show import named, shown
from streamkit._core.value import copied
from streamkit._engine.compile.key import Kind, Pairs
from streamkit._engine.compile.pace import steady

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["SEEN", "Made", "Opened", "Recipe", "Source", "Weaving", "close_of"]

_NATIVE = (range, list, tuple)
_SLICE, _ASYNC = Kind.SLICE, Kind.ASYNC  # Python 3.11 looks a member of an enumeration up by a call
SEEN: dict[type, Kind] = {
    **dict.fromkeys(_NATIVE, _SLICE),
    AsyncGeneratorType: _ASYNC,
    GeneratorType: Kind.ITER,
}
"""How values of these types are read, which nobody can have subclassed."""
_USUAL = (*_NATIVE, AsyncGeneratorType, GeneratorType)
_QUEUE = ": write streamkit.from_queue(queue), or use push(strategy) for the queue"
_ALLOWED = "an iterable, an async iterable, or a callable that makes one"


class Paired:
    """What may be pairs of a delivery and an item, or is to be made into such."""

    pairs: Pairs | None = None
    """How the loop over it has to do with pairs; most have not."""


class Opened(Paired):
    """A source in use, by one run: what a loop reads from, and what closes it."""

    # most sources have few of these: what the class says costs no run anything
    close: Callable[[], Awaitable[None]] | None = None
    """Closes an asynchronous source."""
    close_now: Callable[[], None] | None = None
    """Closes a synchronous one."""
    buffer: Any = None
    """The channel, if the source is one."""
    direct: Any = None
    """Runs the reader's loop, if the tasks that fill the channel may run it too (`run.direct`)."""
    blame: Callable[[BaseException], BaseException] | None = None
    """Adds the operator's name to an error that a stage raised; None for other sources."""
    unreached: Callable[[], list[BaseException]] | None = None
    """The errors of a stage's sources that nobody was told of when the stage was left."""
    halt: Callable[[], None] | None = None
    """Ends the intake of a stage; what it holds can be taken still."""
    follows: Any = None
    """Says what is read when the items have ended or failed, where something may follow."""
    steps: tuple[Any, ...] = ()
    """The links of steps that belong to it, which come first in the loop that reads it."""
    relay: Callable[[], None] | None = None
    """Tells a stage that a cancellation may be thrown in, which it passes on to its source."""

    def __init__(
        self,
        kind: Kind,
        items: Any,
        close: Callable[[], Awaitable[None]] | None = None,
        close_now: Callable[[], None] | None = None,
        buffer: Any = None,
        **more: Any,
    ) -> None:
        self.kind: Kind = kind
        self.items: Any = items
        self.close, self.close_now = close, close_now
        if buffer is not None:
            self.buffer = buffer
        if more:
            self.__dict__.update(more)

    def release(self) -> Awaitable[None] | None:
        """Close it, in the way of its kind; await what this returns. No coroutine: many may be nested."""
        if self.close is not None:
            return self.close()
        if self.close_now is not None:
            self.close_now()
        return None


class Weaving(Opened):
    """A stage that what makes the loop behind it may put into that loop."""

    weave: Callable[..., Any]
    """Makes that loop, of the links behind the stage, the end and the pace; None where that cannot be."""


class Source:
    """An iterable, an async iterable or a callable that makes either; checked here, opened by each run."""

    __slots__ = ("__weakref__", "_consumed", "_makes", "value")

    strategy: Strategy | None = None
    """The strategy of the source's own buffer; None if it has no buffer."""
    awaited: bool = False
    """Whether others wait for it to be read, and must be told if it never is, by `claim` and `disclaim`."""

    alone: bool = False
    """Whether only one run can ever read it."""

    tracked: bool = False
    """Whether it hands out deliveries, which the operators behind it follow (`run.follow`)."""

    def __init__(self, value: Any) -> None:
        self.value: Any = value
        self._consumed = False
        self._makes = type(value) is FunctionType and not value.__code__.co_flags & CO_COROUTINE
        """Whether each run calls `value` for something to iterate."""
        if self._makes or type(value) in _USUAL:
            return
        if _observable(value):
            # checked first: an observable of RxPY is awaitable too, and its `__getitem__` never ends
            raise TypeError(
                f"source must be {_ALLOWED}, not the observable {shown(value)}: use "
                "streamkit.rx.from_observable(observable, strategy=...), or, if it is a publisher of "
                "Reactive Streams, streamkit.reactive_streams.from_publisher(publisher)"
            )
        if isinstance(value, Composed):
            raise TypeError(f"source must be {_ALLOWED}, not {shown(value)}: write Stream(source) | operator")
        if _blocking(value) or _asynchronous(value):
            return
        if awaitable(value):
            discard(value)
            raise TypeError(f"source must be {_ALLOWED}, not the awaitable {shown(value)}: await it first")
        if not callable(value):
            hint = _QUEUE if is_said(lambda each: callable(each.get_nowait), value) else ""
            raise TypeError(f"source must be {_ALLOWED}, not {shown(value)}{hint}")
        if makes_coroutine(value):
            raise TypeError(f"source must be {_ALLOWED}, not the coroutine function {shown(value)}")
        self._makes = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Source:
        """A source of a copy of its value; itself, with its mark, where that cannot be copied."""
        value = copied(self.value, memo)
        if type(self) is not Source or value is self.value:
            return self
        source = Source(value)
        source._consumed = self._consumed
        return source

    def open(self, *, blocking: bool = False) -> Opened:
        """Obtain a fresh iterator; the synchronous one, if `value` has both kinds and `blocking` is set.

        Raises:
            SourceConsumedError: `value` is a one-shot iterator that was opened before.
            TypeError: `value` is a callable, and its result cannot be iterated.
        """
        if type(self) is Source and type(self.value) in _NATIVE:
            return Opened(_SLICE, self.value)
        return self.made()._opened(blocking=blocking)

    @property
    def makes(self) -> bool:
        """Whether it is a callable, which each run calls. Sources of other kinds open in their own ways."""
        return type(self) is Source and self._makes

    def made(self) -> Source:
        """For a callable: the source of what it makes, for one run. It is called here."""
        if not self.makes:
            return self
        value = self.value()
        if type(value) not in _USUAL:
            self._check_made(value)
        return Made(value)

    @classmethod
    def returned(cls, value: Any) -> Source:
        """The source of `value`, which a function of a pipe has returned to a run: that closes it."""
        source = cls(value)
        return source if source._makes or type(value) in _NATIVE else Made(value)

    def _opened(self, *, made: bool = False, blocking: bool) -> Opened:
        value = self.value
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - anything at all
        if kind in _NATIVE:
            return Opened(_SLICE, value)
        if kind is AsyncGeneratorType:
            self._mark(value, made)
            return Opened(_ASYNC, value, value.aclose)
        iterator: Any
        if _asynchronous(value) and not (blocking and _blocking(value)):
            iterator = aiter(value)
            self._mark(iterator, made)
            return Opened(Kind.ASYNC, iterator, _closing(iterator, made))
        iterator = iter(value)
        self._mark(iterator, made)
        return Opened(
            Kind.ITER,
            steady(iterator),
            None,
            close_of(iterator) if made or isinstance(iterator, Generator) else None,
        )

    @property
    def consumed(self) -> bool:
        """Whether it can be read once, and was."""
        return self._consumed

    @property
    def native(self) -> Any:
        """The range, list or tuple that this reads; else None."""
        return self.value if type(self.value) in _NATIVE else None

    @property
    def buffered(self) -> Strategy | None:
        """The strategy of the buffer that is read, the source's own or one that runs already."""
        return self.strategy

    @property
    def blocking(self) -> bool:
        """Whether the source seems readable without awaiting; a callable is known only when opened."""
        return _blocking(self.value) or not (
            _asynchronous(self.value) or is_said(isasyncgenfunction, self.value)
        )

    def attached(self, run: Any) -> Source:
        """The source for a stage of `run`. A push source opens here, before the first pull."""
        return self  # pragma: no cover - a kind that has no other is not asked (`run/apart.py`)

    @property
    def beside(self) -> tuple[Any, ...]:
        """The pipelines that run while this is read, and are none of its reader's: `Inlet` of each."""
        return ()

    def anew(self) -> Source:
        """The source for another run by the same stage, which has read it before.

        Raises:
            SourceConsumedError: it can be run only once.
        """
        if type(self) is Source and self._consumed:
            raise self._spent()  # those of other kinds say it when they are opened
        return self

    def _spent(self) -> SourceConsumedError:
        return SourceConsumedError(
            f"{shown(self.value)} can be run only once, and was: pass a callable that makes a fresh iterator"
        )

    @property
    def origin(self) -> Source | None:
        """What this was attached from, if that can be attached again."""
        return None

    def _check_made(self, value: Any) -> None:
        if _blocking(value) or _asynchronous(value):
            return
        discard(value)
        raise TypeError(
            f"the source {self!r} must return an iterable or an async iterable, not {shown(value)}"
        )

    def _mark(self, iterator: Any, made: bool) -> None:
        if made or iterator is not self.value:
            return
        if self._consumed:
            raise self._spent()
        self._consumed = True

    @property
    def kind(self) -> str:
        """The name of a function or generator, or that of a class: in a time that no value decides."""
        return named(self.value) if callable(self.value) else type(self.value).__name__

    def __repr__(self) -> str:
        return named(self.value)


class Made(Source):
    """What a callable has made, for one run."""

    __slots__ = ()

    def __init__(self, value: Any) -> None:
        self.value = value
        self._consumed = self._makes = False

    def _opened(self, *, made: bool = True, blocking: bool) -> Opened:
        return super()._opened(made=True, blocking=blocking)


class Recipe(Source):
    """What a source function of ours makes anew for each run, shown as the call that a user has written."""

    __slots__ = ("_arguments", "_name", "_options")

    def __init__(
        self, name: str, arguments: tuple[Any, ...], make: Callable[[], Any], **options: Any
    ) -> None:
        self.value = make
        self._consumed, self._makes = False, True
        self._name = name
        self._arguments = arguments
        self._options = options

    @property
    def makes(self) -> bool:
        return True

    def made(self) -> Source:
        return Made(self.value())

    @property
    def kind(self) -> str:
        return self._name

    def __repr__(self) -> str:
        options = [f"{name}={shown(value)}" for name, value in self._options.items()]
        return f"{self._name}({', '.join([*map(named, self._arguments), *options])})"


def close_of(iterator: Any) -> Callable[[], Any] | None:
    """What closes an iterator that nobody else has: a generator, a file, the rows of a query."""
    close = getattr(iterator, "close", None)
    return close if callable(close) else None


def _closing(iterator: Any, made: bool) -> Callable[[], Awaitable[None]] | None:
    """What closes an asynchronous iterator; one that was `made` for the run may only have a ``close``."""
    found: Callable[[], Awaitable[None]] | None = getattr(iterator, "aclose", None)
    if found is None and made and (close := close_of(iterator)) is not None:
        return partial(_closed, close)
    return found


async def _closed(close: Callable[[], Any]) -> None:
    result = close()
    if awaitable(result):
        await result


def _observable(value: object) -> bool:
    return is_said(_subscribes, value) and not isinstance(value, (Iterable, AsyncIterable))


def _subscribes(value: object) -> bool:
    return hasattr(value, "subscribe")


def _blocking(value: object) -> bool:
    return isinstance(value, Iterable) or hasattr(type(value), "__getitem__")


def _asynchronous(value: object) -> bool:
    return isinstance(value, AsyncIterable)
