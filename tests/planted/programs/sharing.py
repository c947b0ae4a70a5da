"""Bugs of programs whose tasks share something: a lock, a counter, a cache, a flag."""

from __future__ import annotations

import asyncio
from asyncio import Condition, Event, Lock, Semaphore

from tests.planted.plant import in_program
from tests.planted.programs.moments import at


class _Hits:
    """A counter that is stored elsewhere, too."""

    def __init__(self) -> None:
        self.count = 0

    async def add(self) -> None:
        count = self.count + 1
        await asyncio.sleep(1.0)  # it is written to a store
        self.count = count


class _HitsOneByOne(_Hits):
    def __init__(self) -> None:
        super().__init__()
        self._turn = Lock()

    async def add(self) -> None:
        async with self._turn:
            await super().add()


@in_program("a counter updated across an await", flawed=_Hits, right=_HitsOneByOne)
async def count_lost(kind: type[_Hits]) -> None:
    """Two visitors read the same count."""
    hits = kind()

    async def visit(begin: float) -> None:
        await at(begin)
        await hits.add()

    await asyncio.gather(visit(0.0), visit(1.0), visit(2.0))
    assert hits.count == 3, f"{hits.count} of 3 hits"


class _Cache:
    """Loads each page once."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.loads = 0

    async def load(self, name: str) -> str:
        self.loads += 1
        await asyncio.sleep(1.0)
        return f"page {name}"

    async def get(self, name: str) -> str:
        if name not in self.pages:
            self.pages[name] = await self.load(name)
        return self.pages[name]


class _CacheOfTasks(_Cache):
    def __init__(self) -> None:
        super().__init__()
        self.under_way: dict[str, asyncio.Task[str]] = {}

    async def get(self, name: str) -> str:
        if name not in self.under_way:
            self.under_way[name] = asyncio.create_task(self.load(name))
        return await self.under_way[name]


@in_program("check-then-act over an await", flawed=_Cache, right=_CacheOfTasks)
async def loaded_twice(kind: type[_Cache]) -> None:
    """Who asks for a page while it is being loaded loads it, too."""
    cache = kind()

    async def reader(begin: float) -> str:
        await at(begin)
        return await cache.get("a")

    assert await asyncio.gather(reader(0.0), reader(1.0)) == ["page a", "page a"]
    assert cache.loads == 1, f"loaded {cache.loads} times"


async def _alone(lock: Lock) -> None:
    await asyncio.sleep(1.0)
    assert lock.locked(), "another has released the lock"


async def _releases_whatever_is_locked(lock: Lock) -> bool:
    try:
        async with asyncio.timeout(1.0):
            await lock.acquire()
    except TimeoutError:
        return False
    else:
        await _alone(lock)
        return True
    finally:
        if lock.locked():
            lock.release()


async def _releases_what_it_has(lock: Lock) -> bool:
    try:
        async with asyncio.timeout(1.0):
            await lock.acquire()
    except TimeoutError:
        return False
    try:
        await _alone(lock)
    finally:
        lock.release()
    return True


@in_program(
    "a lock released by the wrong task", flawed=_releases_whatever_is_locked, right=_releases_what_it_has
)
async def wrong_release(section: object) -> None:
    """Who has waited for a lock in vain releases it, and so takes it from its owner."""
    assert callable(section)
    lock = Lock()
    assert any(await asyncio.gather(section(lock), section(lock)))


class _Downloads:
    """At most one at a time."""

    def __init__(self) -> None:
        self.places = Semaphore(1)
        self.now = self.most = 0

    async def download(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(1.0)
        finally:
            self.now -= 1

    async def fetch(self) -> None:
        await self.places.acquire()
        try:
            await self.download()
        except asyncio.CancelledError:
            self.places.release()
            raise
        finally:
            self.places.release()


class _DownloadsReleasedOnce(_Downloads):
    async def fetch(self) -> None:
        async with self.places:
            await self.download()


@in_program("a semaphore released twice", flawed=_Downloads, right=_DownloadsReleasedOnce)
async def place_given_back_twice(kind: type[_Downloads]) -> None:
    """A download that is cancelled gives its place back twice: then two go on at once."""
    downloads = kind()
    first = asyncio.create_task(downloads.fetch())
    await at(1.0)
    first.cancel()
    await asyncio.gather(downloads.fetch(), downloads.fetch(), first, return_exceptions=True)
    assert downloads.most == 1, f"{downloads.most} downloads at once"


class _Mailbox:
    """Letters that are stored in batches."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.stored: list[str] = []
        self.filled = Event()

    def post(self, letter: str) -> None:
        self.letters.append(letter)
        self.filled.set()

    async def empty(self) -> None:
        letters, self.letters = self.letters, []
        await asyncio.sleep(1.0)
        self.stored += letters

    async def serve(self, count: int) -> None:
        while len(self.stored) < count:
            await self.filled.wait()
            await self.empty()
            self.filled.clear()


class _MailboxClearedFirst(_Mailbox):
    async def serve(self, count: int) -> None:
        while len(self.stored) < count:
            await self.filled.wait()
            self.filled.clear()
            await self.empty()


@in_program("an Event cleared after it was awaited", flawed=_Mailbox, right=_MailboxClearedFirst)
async def letter_forgotten(kind: type[_Mailbox]) -> None:
    """A letter that comes just before the flag is taken down is never looked at."""
    mailbox = kind()

    async def sender() -> None:
        for letter in "abc":
            mailbox.post(letter)
            await asyncio.sleep(1.0)

    await asyncio.gather(mailbox.serve(3), sender())
    assert mailbox.stored == ["a", "b", "c"]


class _Shelf:
    """Items that wait for a taker."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.changed = Condition()

    async def put(self, item: int) -> None:
        async with self.changed:
            self.items.append(item)
            self.changed.notify()

    async def take(self) -> int:
        async with self.changed:
            if not self.items:
                await self.changed.wait()
            return self.items.pop()


class _ShelfLookedAtAgain(_Shelf):
    async def take(self) -> int:
        async with self.changed:
            while not self.items:
                await self.changed.wait()
            return self.items.pop()


@in_program("a condition that is not looked at again", flawed=_Shelf, right=_ShelfLookedAtAgain)
async def shelf_found_empty(kind: type[_Shelf]) -> None:
    """A taker is woken for an item, and another takes it before."""
    shelf = kind()

    async def taker(begin: float) -> int:
        await asyncio.sleep(begin)
        return await shelf.take()

    async def putter() -> None:
        await at(1.0)
        await shelf.put(1)
        await at(2.0)
        await shelf.put(2)

    found = await asyncio.gather(taker(0.0), taker(1.0), putter(), return_exceptions=True)
    assert {*found} == {1, 2, None}, found
