"""Bugs of programs that end: tasks left running, closed twice, cancelled in vain."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, Queue, Task
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress

from streamkit.testing import Faults
from tests.planted.plant import in_program
from tests.planted.programs.moments import at


class _Session:
    """What tasks read through, until it is closed."""

    def __init__(self) -> None:
        self.open = True
        self.late = 0

    async def read(self, *, fails: bool) -> None:
        await asyncio.sleep(1.0)
        self.late += not self.open
        if fails:
            raise ValueError("no such page")


async def _gathered(session: _Session) -> None:
    await asyncio.gather(*(session.read(fails=number == 3) for number in range(4)))


async def _grouped(session: _Session) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(session.read(fails=number == 3))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


@in_program("gather siblings left running", flawed=_gathered, right=_grouped)
async def siblings_of_gather(pages: Callable[[_Session], Awaitable[None]]) -> None:
    """One read fails, so the session is closed, while others still read."""
    session = _Session()
    try:
        await pages(session)
    except ValueError:
        session.open = False
    await asyncio.sleep(9.0)
    assert not session.late, f"{session.late} reads after the session was closed"


class _Journal:
    """Entries are written in the background."""

    def __init__(self) -> None:
        self.open = True
        self.entries = 0

    def note(self) -> None:
        asyncio.create_task(self.write())  # noqa: RUF006 - that is the bug

    async def write(self) -> None:
        await asyncio.sleep(1.0)
        if not self.open:
            raise ValueError("the journal is closed")
        self.entries += 1

    async def close(self) -> None:
        self.open = False


class _JournalWaitedFor(_Journal):
    def __init__(self) -> None:
        super().__init__()
        self.writes: set[Task[None]] = set()

    def note(self) -> None:
        self.writes.add(asyncio.create_task(self.write()))

    async def close(self) -> None:
        await asyncio.gather(*self.writes)
        self.open = False


@in_program("a task reference dropped", flawed=_Journal, right=_JournalWaitedFor)
async def entry_not_written(kind: type[_Journal]) -> None:
    """Nobody has the task that writes, so nobody waits for it before the journal is closed."""
    journal = kind()
    journal.note()
    await at(1.0)
    await journal.close()
    await asyncio.sleep(9.0)
    assert journal.entries == 1


async def _catches_all(jobs: Queue[float], failures: list[BaseException]) -> None:
    while True:
        seconds = await jobs.get()
        try:
            await asyncio.sleep(seconds)
        except BaseException as error:
            failures.append(error)


async def _catches_errors(jobs: Queue[float], failures: list[BaseException]) -> None:
    while True:
        seconds = await jobs.get()
        try:
            await asyncio.sleep(seconds)
        except Exception as error:
            failures.append(error)


@in_program("a swallowed CancelledError", flawed=_catches_all, right=_catches_errors)
async def worker_goes_on(work: Callable[[Queue[float], list[BaseException]], Awaitable[None]]) -> None:
    """A worker that is cancelled in a job notes that the job has failed, and takes the next."""
    jobs = Queue[float]()
    jobs.put_nowait(1.0)
    worker = asyncio.ensure_future(work(jobs, []))
    await at(1.0)
    worker.cancel()
    done, _ = await asyncio.wait({worker}, timeout=9.0)
    assert done, "the worker was cancelled, and goes on"


class _Client:
    """Acknowledges each reply, through a socket."""

    def __init__(self) -> None:
        self.open = True
        self.acknowledged = 0
        self.pending: list[Future[str]] = []

    def request(self) -> Future[str]:
        reply: Future[str] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(self.replied)
        self.pending.append(reply)
        return reply

    def replied(self, _: Future[str]) -> None:
        if not self.open:
            raise OSError("the socket is closed")
        self.acknowledged += 1

    def close(self) -> None:
        self.open = False


class _ClientThatListensNoMore(_Client):
    def close(self) -> None:
        for reply in self.pending:
            reply.remove_done_callback(self.replied)
        self.open = False

    def replied(self, reply: Future[str]) -> None:
        if self.open:  # it is called, if it was on its way when it was removed
            super().replied(reply)


@in_program("a future whose callbacks run after close", flawed=_Client, right=_ClientThatListensNoMore)
async def called_after_close(kind: type[_Client]) -> None:
    """A reply has come, and its callback is on its way, when the socket is closed."""
    client = kind()
    reply = client.request()

    async def server() -> None:
        await asyncio.sleep(1.0)
        reply.set_result("here")

    task = asyncio.create_task(server())
    await asyncio.create_task(asyncio.sleep(1.0))
    client.close()
    await task


class _Transport:
    """Refuses to be closed twice."""

    def __init__(self) -> None:
        self.closed = False
        self.flushed = False

    def close(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True

    async def end(self) -> None:
        if self.closed:
            return
        await asyncio.sleep(1.0)  # it flushes
        self.close()


class _TransportEndedOnce(_Transport):
    async def end(self) -> None:
        if self.flushed:
            return
        self.flushed = True
        await asyncio.sleep(1.0)
        self.close()


@in_program("double close of a source", flawed=_Transport, right=_TransportEndedOnce)
async def transport_closed_twice(kind: type[_Transport]) -> None:
    """The other side hangs up, and the owner closes, before the first of both is done."""
    transport = kind()

    async def hangs_up(seconds: float) -> None:
        await at(seconds)
        await transport.end()

    await asyncio.gather(hangs_up(1.0), hangs_up(2.0))


class _Merge:
    """Merges sources by hand: a task for each, and one queue."""

    def __init__(self, *sources: AsyncIterator[int]) -> None:
        self.queue = Queue[int]()
        self.tasks = [asyncio.create_task(self.pump(source)) for source in sources]

    async def pump(self, source: AsyncIterator[int]) -> None:
        async for item in source:
            self.queue.put_nowait(item)

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            while True:
                yield await self.queue.get()
        finally:
            for task in self.tasks:
                task.cancel()
            await self.ended()

    async def ended(self) -> None:
        with suppress(CancelledError):
            await self.tasks[-1]


class _MergeOfAll(_Merge):
    async def ended(self) -> None:
        await asyncio.wait(self.tasks)


@in_program("an unclosed sibling", flawed=_Merge, right=_MergeOfAll)
async def merge_left_open(kind: type[_Merge]) -> None:
    """The merge waits for the task that was cancelled last, as if the others had ended before."""
    opened: set[int] = set()

    async def ticks(number: int) -> AsyncIterator[int]:
        opened.add(number)
        try:
            while True:
                await asyncio.sleep(1.0)
                yield number
        finally:
            opened.discard(number)

    async with aclosing(kind(ticks(0), ticks(1)).items()) as items:
        async for _ in items:
            break
    assert not opened, f"still open: {opened}"
    await asyncio.sleep(1.0)


class _Lines:
    """A writer and a reader of lines, with a queue of one between them."""

    def __init__(self) -> None:
        self.queue = Queue[str](maxsize=1)

    async def write(self) -> None:
        try:
            for line in "abc":
                await self.queue.put(line)
                await asyncio.sleep(1.0)
        finally:
            await self.end()

    async def end(self) -> None:
        await self.queue.put("")

    async def read(self) -> None:
        line = await self.queue.get()
        while line:
            await asyncio.sleep(2.0)
            line = await self.queue.get()


class _LinesEndedAtOnce(_Lines):
    async def end(self) -> None:
        while self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait("")


@in_program(
    "clean-up that waits for a task that has ended",
    flawed=_Lines,
    right=_LinesEndedAtOnce,
    faults=Faults.SHUTDOWN,
)
async def end_never_taken(kind: type[_Lines]) -> None:
    """When the program ends, the writer waits until there is room for the last line, and nobody reads."""
    lines = kind()
    async with asyncio.TaskGroup() as group:
        group.create_task(lines.write())
        group.create_task(lines.read())


class _Files:
    """Files that are open."""

    def __init__(self) -> None:
        self.open = 0

    async def use(self) -> None:
        self.open += 1
        await asyncio.sleep(1.0)  # it reads the header
        try:
            await asyncio.sleep(1.0)
        finally:
            self.open -= 1


class _FilesAlwaysClosed(_Files):
    async def use(self) -> None:
        self.open += 1
        try:
            await asyncio.sleep(1.0)
            await asyncio.sleep(1.0)
        finally:
            self.open -= 1


@in_program("a file left open when cancelled", flawed=_Files, right=_FilesAlwaysClosed, faults=Faults.CANCEL)
async def header_cut_short(kind: type[_Files]) -> None:
    """Who is cancelled between opening and ``try`` leaves the file open."""
    files = kind()
    try:
        await files.use()
    finally:
        assert not files.open, f"{files.open} files are open"
