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

Steps with pipes inside
-----------------------

Two kinds of steps have pipes of steps among their arguments, which are spliced into the loop with the step.
They are made for ``broadcast``, ``partition``, ``route`` and ``group_by``.

A step that *forks* (``forks=True``) has a parameter ``branches``, a tuple of pipes. Each item goes to every
branch, in their order, and what comes out of them is what the step emits. Its ``each`` is "pass". If it is
a sink, its result is the tuple of theirs, and its ``result`` is "()". Or its ``each`` says ``pick(number)``:
then the item goes to the branch of that number alone (of two, 0 and 1 are the truth values). Where the
result is to be another one, ``setup`` assigns to ``results``, which ``result`` makes it of.

A step that *groups* (``groups=True``) has a parameter ``pipe``, a pipe that it runs for each of many groups:
a group is one set of the variables of that pipe's steps. The pieces say which group they mean by three
variables: ``groups`` is a dict, which ``setup`` makes; ``name`` and ``state`` are a key of it and the value
there. Where there is one group at a time, ``setup`` assigns EMPTY to ``state``, in which that group is kept
then, and makes no dict. And they say what is to be done with that group by four signals:

============  ============================================================================================
``enter()``   begin a group, by the setups of its steps; this sets ``state``, and ``groups[name]``
``resume()``  take up the variables of the group out of its ``state``
``run()``     give ``item`` to the group that was entered or resumed, and put its variables away; ``run(x)``
              gives it ``x``
``end()``     end the group with this ``state``, by the finish of its steps
============  ============================================================================================

What comes out of a group is emitted as ``(name, value)``, and so is the result of a sink, when the group
ends; as ``(_label(name), value)``, if the function has a parameter ``_label``, which is a plain function. A
group ends early when one of its steps says ``stop()``. Then ``groups[name]``, or ``state``, becomes EMPTY.
For such a group, ``resume()`` skips the rest of ``each``, or of this turn of a ``for`` that it stands in, and
``end()`` does nothing. Only the step itself takes names out of ``groups``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from streamkit._core.calls import answering
from streamkit._core.catalogue import parameters_of, register
from streamkit._core.contract import NOTHING_HELD, Contract
from streamkit._engine.compile.formulas import check_contract
from streamkit._engine.compile.pieces import Pieces, StepDeclaration, Uses, checked
from streamkit._engine.face.mistakes import check_decorated, check_pieces

__all__ = ["step"]

F = TypeVar("F", bound=Callable[..., Any])


@answering
def step(
    *,
    setup: str = "",
    each: str,
    finish: str = "",
    failed: str = "",
    result: str = "",
    uses: Uses = (),
    contract: Contract | None = None,
    name: str | None = None,
    forks: bool = False,
    groups: bool = False,
    closes: str = "",
    nests: str = "",
    keeps: str = "",
) -> Callable[[F], F]:
    """Declare the decorated function as a step (or, with `result`, as a sink).

    The function checks its arguments and returns ``Keep``, ``Operator`` or ``Sink`` of itself and of the
    values that the pieces use.

    A name in a piece is a variable of the step, if a piece assigns to it; if it is a parameter too, the
    variable begins with the argument. Else it is a parameter of the function; else a name in `uses`; else a
    name of the function's module or a builtin, looked up each time, as in a function of that module. What is
    imported for the pieces only belongs in `uses`: a linter does not read them, and takes the import for
    unused.

    Pieces mean what they mean in a function, in which each parameter that they call is awaited if it must be.
    What would mean something else in a loop is refused here.

    Args:
        setup: what happens before the first item is asked for.
        each: what happens with each ``item``.
        finish: what happens when the source has ended, or a step before this one has said ``stop()``.
        failed: what happens with the ``error`` with which the source, or a step before this one, has failed:
            the stream then ends as it does at its end. Without it, the stream fails. Of an error of the
            program, as a ``RecursionError`` is one, it is not told.
        result: an expression, which makes the step a sink: what ``await job`` returns.
        uses: functions and classes that the pieces name, as in ``uses=(sleep, Decimal)``; a mapping of names
            to any values, as in ``uses={"limit": 3}``; or such mappings among the functions and classes.
        contract: what the operator holds and loses; nothing, if it is not given.
        name: the operator's name, if it is not the function's.
        forks: whether each item goes to several pipes; described where this function is defined.
        groups: whether a pipe runs for each of many groups; described there too.
        closes: the name of a parameter, a callback without arguments, that is called once on every exit, when
            all that is before the step was closed.
        nests: the name of a parameter, a callback that makes a stream of each item: anything that a stream
            can begin with, or an awaitable of it. The step goes through these streams, one after the other,
            and ``each`` is what happens with each ``item`` of them.
        keeps: an expression, for steps that make something of earlier items too: how many of the newest items
            it still has something of, where it emits, and at the end of ``each``; ``"len(held)"``, ``"1"``.
            Behind a durable source, what it emits stands for those that it has kept since, and for these.

    Raises:
        NameError: the contract, `closes` or `nests` names what is no parameter.
        SyntaxError: a piece is no Python, or says what cannot be spliced, or ``each`` reads a variable that
            nothing has assigned to: it names step, line and construct.
        TypeError: a piece is no text, or what is decorated no function; or something in `uses` is no function
            or class, and has no name in a mapping.
        ValueError: a name in `uses` is a parameter, is assigned to in a piece, is a word that steps have
            already (``item``, ``emit``, ``stop``), or stands for two values.
    """
    texts = {"setup": setup, "each": each, "finish": finish, "failed": failed, "result": result}
    texts |= {"closes": closes, "nests": nests, "keeps": keeps}
    check_pieces(**texts)
    pieces = Pieces(**texts)

    def decorate(function: F) -> F:
        check_decorated("@step(...)", function)
        declaration = StepDeclaration(
            name or function.__name__.strip("_"),
            function,
            contract or NOTHING_HELD,
            pieces=pieces,
            parameters=parameters_of(function),
            uses=uses,
            forks=forks,
            groups=groups,
        )
        if not declaration.own:
            checked(declaration)  # our own are parsed when used, and checked by the tests
            check_contract(declaration.contract, declaration.name, declaration.parameters)
        register(declaration)
        if not declaration.own:
            return function
        declaration.body = function.__code__
        return answering(function, declaration)

    return decorate
