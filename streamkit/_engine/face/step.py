"""Steps: operators that are a few lines of one loop, and the decorator that declares them.

A step is three small pieces of Python. In them ``item`` is the item that came in, ``emit(x)`` passes one
on, ``stop()`` ends the stream, and the parameters of the decorated function are there by name:

>>> from streamkit import Keep, Stream, step
>>> @step(setup="left = count", each="left -= 1; emit(item)\\nif not left: stop()")
... def firsts(count: int) -> Keep:
...     return Keep(firsts, count=count)
>>> list(Stream(range(9)) | firsts(2))
[0, 1]

A sink has the same form; ``result`` says what it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from streamkit._core.catalogue import parameters_of, register
from streamkit._core.contract import NOTHING_HELD, Contract
from streamkit._engine.compile.pieces import Pieces, StepDeclaration, parsed

__all__ = ["declare_step", "step"]

F = TypeVar("F", bound=Callable[..., Any])


def step(
    *,
    setup: str = "",
    each: str,
    finish: str = "",
    result: str = "",
    contract: Contract | None = None,
    name: str | None = None,
    forks: bool = False,
    groups: bool = False,
) -> Callable[[F], F]:
    """Declare the decorated function as a step (or, with `result`, as a sink).

    The function checks its arguments and returns ``Keep``, ``Operator`` or ``Sink`` of itself and of
    the values that the pieces use. Names that are neither parameters nor assigned in the pieces are
    looked up in the function's module. A step that `forks` has ``branches``, pipes of steps, and each
    item goes to every one of them; `each` then says nothing. One that `groups` has a ``pipe`` of steps, and
    says of each item which of many states of that pipe it meets: ``enter()`` begins a new ``state`` in
    ``groups[name]``, ``resume()`` takes up ``state``, ``run()`` gives the item to the pipe, and ``close()``
    ends it; what comes out is emitted with its ``name``.

    Raises:
        SyntaxError: a piece is no Python, or uses ``emit`` or ``stop`` in a way that cannot be spliced.
    """
    pieces = Pieces(setup=setup, each=each, finish=finish, result=result)

    def decorate(function: F) -> F:
        declare_step(function, pieces, contract, name, forks, groups)
        return function

    return decorate


def declare_step(
    function: Callable[..., Any],
    pieces: Pieces,
    contract: Contract | None,
    name: str | None,
    forks: bool = False,
    groups: bool = False,
) -> StepDeclaration:
    """Enter the declaration; a mistake in the pieces shows here, where the step is written."""
    declaration = StepDeclaration(
        name or function.__name__.strip("_"),
        function,
        contract or NOTHING_HELD,
        pieces=pieces,
        parameters=parameters_of(function),
        forks=forks,
        groups=groups,
    )
    if not (function.__module__ or "").startswith("streamkit."):
        parsed(declaration)  # ours are parsed when used, and by the tests
    register(declaration)
    return declaration
