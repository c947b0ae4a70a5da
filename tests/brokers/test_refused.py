"""What a server refuses, and what others do to what it keeps: told by name, and counted."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import nats
import pytest
from redis.asyncio import Redis as Client

from streamkit import CarrierError
from streamkit.durable import Carrier, Connection, Entry, Nats, Redis
from tests.brokers.servers import JetStream, Valkey

Within = Callable[[Coroutine[Any, Any, Any]], Any]


async def appended(carrier: Carrier, count: int = 1, size: int = 1) -> None:
    async with carrier.connect() as connection:
        await connection.append([Entry(b"x" * size)] * count)


async def claimed(connection: Connection, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        more = await connection.claim("readers", count - len(found), 30.0, 5.0)
        assert more
        found += more
    return found


def refused(within: Within, work: Coroutine[Any, Any, Any], words: str) -> None:
    with pytest.raises(CarrierError, match=words) as caught:
        within(work)
    assert "secret" not in str(caught.value)
    assert not isinstance(caught.value, ConnectionError)


def test_redis_with_a_password(within: Within) -> None:
    with Valkey("--requirepass", "right") as server:
        refused(within, appended(Redis(server.url, "inbox")), "NOAUTH|AuthenticationError")
        wrong = server.url.replace("//", "//:secret@")
        refused(within, appended(Redis(wrong, "inbox")), r"//:\*\*\*@.*(WRONGPASS|invalid)")
        within(appended(Redis(server.url.replace("//", "//:right@"), "inbox")))


def test_nats_with_a_password(within: Within) -> None:
    server = JetStream("-js", "--user", "me", "--pass", "right")
    server._arguments = ("-js", "-sd", str(server.folder), "--user", "me", "--pass", "right")
    with server:
        refused(within, appended(Nats(server.url, "inbox")), "uthorization")
        wrong = server.url.replace("//", "//me:secret@")
        refused(within, appended(Nats(wrong, "inbox")), r"//me:\*\*\*@.*uthorization")
        within(appended(Nats(server.url.replace("//", "//me:right@"), "inbox")))


def test_names_that_nothing_can_store_are_answered_at_the_call() -> None:
    for make in (Redis, Nats):
        with pytest.raises(ValueError, match=r"^name must be .*, not 'in\\ud800'$"):
            make("redis://localhost" if make is Redis else "nats://localhost", "in\ud800")


def test_redis_that_keeps_no_file(within: Within) -> None:
    with Valkey("--appendonly", "no") as server:
        refused(within, appended(Redis(server.url, "inbox")), "appendonly yes.*fsync=False")
        within(appended(Redis(server.url, "other", fsync=False)))
    with Valkey("--rename-command", "WAITAOF", "") as server:
        refused(within, appended(Redis(server.url, "inbox")), "needs Redis 7.2")


def test_redis_without_room(within: Within) -> None:
    with Valkey("--maxmemory", "3mb", "--maxmemory-policy", "noeviction") as server:
        refused(within, appended(Redis(server.url, "inbox"), 100, 100_000), "OutOfMemory")


def test_a_key_that_is_no_stream(valkey: Valkey, fresh: Callable[[], str], within: Within) -> None:
    name = fresh()

    async def main() -> None:
        async with Client.from_url(valkey.url) as client:
            await client.set(name, "something")
        await appended(Redis(valkey.url, name))

    refused(within, main(), "WRONGTYPE.*name another carrier")


def test_a_stream_of_redis_that_others_trim(valkey: Valkey, fresh: Callable[[], str], within: Within) -> None:
    name = fresh()

    async def main() -> None:
        async with Redis(valkey.url, name).connect() as one, Client.from_url(valkey.url) as client:
            await one.append([Entry(b"%d" % number) for number in range(10)])
            found = await claimed(one, 2)
            await client.xtrim(name, maxlen=4, approximate=False)
            assert [each.body for each in await claimed(one, 4)] == [b"6", b"7", b"8", b"9"]
            assert not await one.claim("readers", 1, 30.0, 0.0)
            assert one.trimmed == 4  # of 10, two were handed out, and four are left
            await one.hand_back("readers", found)
            assert not await one.claim("readers", 5, 30.0, 0.0)
            assert one.trimmed == 6
            await one.append([Entry(b"a")])
            await client.delete(name)  # the group is gone, too
            await one.append([Entry(b"b")])
            assert [each.body for each in await claimed(one, 1)] == [b"b"]
            assert one.trimmed == 10  # the four that were open count, and `a` nobody knows of

    within(main())


def test_what_programs_of_other_kinds_add(valkey: Valkey, fresh: Callable[[], str], within: Within) -> None:
    name = fresh()

    async def main() -> None:
        async with Redis(valkey.url, name).connect() as one, Client.from_url(valkey.url) as client:
            await client.xadd(name, {"whatever": "it is"})
            [message] = await claimed(one, 1)
            assert (message.body, message.key, message.headers) == (b"it is", None, {})

    within(main())


def test_a_batch_of_redis_that_is_sent_twice_is_stored_once(
    valkey: Valkey, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        carrier = Redis(valkey.url, fresh())
        async with carrier.connect() as one:
            send, sent = one._sent, []  # type: ignore[attr-defined]

            async def cut(*arguments: Any) -> Any:
                answer = await send(*arguments)
                if arguments[3] and not sent:
                    sent.append(answer)
                    raise ConnectionResetError("behind the call, and before its answer")
                return answer

            one._sent = cut  # type: ignore[attr-defined]
            await one.append([Entry(b"a"), Entry(b"b", delay=0.05)])
            assert sent
            assert len(await claimed(one, 2)) == 2
            assert (await one.depth("readers")).waiting == 0

    within(main())


def test_nats_without_jetstream(within: Within) -> None:
    with JetStream("--name", "plain") as server:
        refused(within, appended(Nats(server.url, "inbox")), "no JetStream: start it with -js")


async def asked(server: JetStream, subject: str, what: object = None) -> Any:
    client = await nats.connect(server.url)
    answer = await client.request(f"$JS.API.{subject}", b"" if what is None else json.dumps(what).encode(), 5)
    await client.close()
    return json.loads(answer.data)


def test_streams_of_nats_that_are_otherwise(
    jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    name, full = fresh(), fresh()

    async def elsewhere() -> None:
        await asked(jetstream, f"STREAM.CREATE.{name}", {"name": name, "subjects": [f"{name}.other"]})
        await appended(Nats(jetstream.url, name))

    async def limited() -> None:
        config = {"name": full, "subjects": [full], "max_msgs": 3, "discard": "new"}
        await asked(jetstream, f"STREAM.CREATE.{full}", config)
        await appended(Nats(jetstream.url, full), 5)

    async def pushed() -> None:
        config = {"durable_name": "readers", "ack_policy": "none"}
        await asked(
            jetstream, f"CONSUMER.DURABLE.CREATE.{full}.readers", {"stream_name": full, "config": config}
        )
        async with Nats(jetstream.url, full).connect() as one:
            await one.claim("readers", 1, 30.0, 0.0)

    refused(within, elsewhere(), "does not listen to")
    refused(within, limited(), "maximum messages exceeded")
    refused(within, pushed(), "not acknowledge each")


def test_a_stream_of_nats_that_others_trim(
    jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    name = fresh()

    async def main() -> None:
        async with Nats(jetstream.url, name).connect() as one:
            await one.append([Entry(b"%d" % number) for number in range(10)])
            found = await claimed(one, 2)
            await one.acknowledge("readers", found[:1])
            await asked(jetstream, f"STREAM.PURGE.{name}", {"keep": 4})
            await asyncio.sleep(1.1)  # a reader asks what others have deleted once a second, of a real server
            rest = await claimed(one, 4)
            assert [each.body for each in rest] == [b"6", b"7", b"8", b"9"]
            await one.acknowledge("readers", rest)
            assert one.trimmed == 4
            await asked(jetstream, f"CONSUMER.DELETE.{name}.readers")
            await one.append([Entry(b"a")])
            assert [each.body for each in await claimed(one, 1)] == [b"a"]

    within(main())


def test_a_stream_of_nats_with_keys_that_others_trim(
    jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    name = fresh()

    async def main() -> None:
        async with Nats(jetstream.url, name, partitions=3).connect() as one:
            keys = [None, "a", "b", "c", "d"] * 2
            await one.append([Entry(b"%d" % number, key) for number, key in enumerate(keys)])
            found = await claimed(one, 2)
            await one.acknowledge("readers", found[:1])
            await asked(jetstream, f"STREAM.PURGE.{name}", {"keep": 4})
            left = {b"6", b"7", b"8", b"9"} - {each.body for each in found}
            await one.append([Entry(b"more", "e")])
            await asyncio.sleep(1.1)  # a reader asks what others have deleted once a second, of a real server
            rest = await claimed(one, len(left) + 1)
            assert {each.body for each in rest} == {*left, b"more"}
            await one.acknowledge("readers", rest)
            assert one.trimmed == 11 - len(found) - len(rest)

    within(main())


def test_nats_counts_what_is_open(jetstream: JetStream, fresh: Callable[[], str], within: Within) -> None:
    async def main() -> None:
        async with Nats(jetstream.url, fresh()).connect() as one:
            assert (await one.depth("readers")).lag == 0
            await one.append([Entry(b"a"), Entry(b"b")])
            assert (await one.depth("readers")).waiting == 2
            [first] = await claimed(one, 1)
            depth = await one.depth("readers")
            assert (depth.waiting, depth.claimed) == (1, 1)
            await one.hand_back("readers", [first])  # which it counts as claimed
            assert (await one.depth("readers")).lag == 2

    within(main())


def test_what_is_stored_after_the_last_group_was_deleted_waits(
    jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        carrier = Nats(jetstream.url, name := fresh())
        async with carrier.connect() as one:
            assert not await one.claim("readers", 1, 30.0, 0.0)
        await asked(jetstream, f"CONSUMER.DELETE.{name}.readers")
        await appended(carrier, 2)
        async with carrier.connect() as one:
            assert len(await claimed(one, 2)) == 2

    within(main())
