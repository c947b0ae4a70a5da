"""What must not type check: the comments of a line would be idle, and so errors, if it did.

For type checkers only: nothing here runs.
"""

from typing import assert_type

from streamkit import Collect, DropOldest, Gap, Hub, Output, Stream, Suspend, ops, push

NUMBERS: Stream[int] = Stream([1, 2, 3])
PAIRS: Stream[tuple[int, str]] = Stream([(1, "a")])


def repeated(count: int, word: str) -> str:
    return count * word


def length(word: str) -> int:
    return len(word)


def joined(text: str, word: str) -> str:
    return text + word


def positive(number: int) -> bool:
    return number > 0


def of_elements() -> None:
    print(NUMBERS | ops.starmap(repeated))  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(Stream([("a", 1)]) | ops.starmap(repeated))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(Stream([(1, "a", 2)]) | ops.starmap(repeated))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(Stream([(1,)]) | ops.starmap(repeated))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]


def of_items() -> None:
    print(NUMBERS | ops.map(length))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(NUMBERS | ops.filter(length))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(NUMBERS | ops.fold(joined, ""))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(NUMBERS | ops.map(length) | ops.to_list())  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(ops.map(repeated))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]


def of_branches() -> None:
    print(NUMBERS | ops.broadcast(ops.for_each(length), ops.for_each(positive)))  # type: ignore[operator]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]
    print(NUMBERS | ops.broadcast(ops.for_each(length), ops.to_list()))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    print(NUMBERS | ops.broadcast(ops.to_list(), ops.for_each(length)))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]


def of_outputs() -> None:
    price = Output[int]("price")
    print(price("a"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    print(price.to(ops.for_each(length)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]


def of_hubs() -> None:
    Hub[int]().offer("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def of_emitters() -> None:
    stream, emitter = push(Suspend(2), of=int)
    emitter.offer("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    print(stream | ops.map(length))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    lists, emitter = push(Collect(2), of=int)
    print(lists | ops.filter(positive))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    push(Suspend(2), of=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def of_gaps() -> None:
    marked = NUMBERS | ops.buffer(DropOldest(2, gaps=True))
    assert_type(marked, Stream[int | Gap])
    print(marked | ops.filter(positive))  # type: ignore[arg-type]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    plain: DropOldest = DropOldest(2, gaps=True)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    assert plain is not None
