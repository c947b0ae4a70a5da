"""What a graph becomes: the pipe that one would write by hand, and results that do not depend on an order."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from streamkit import GraphError, Stream, Suspend, ops
from streamkit.graph import Graph
from streamkit.testing import run
from tests.graph.given import NUMBERS, add, graph, nodes, numbers, odd, registry, slow, words


def test_nodes_in_a_row_are_the_pipe_by_hand() -> None:
    found = graph(
        n=NUMBERS,
        a={"map": "add", "input": "n"},
        f={"filter": "odd", "input": "a"},
        b={"batch": 2, "input": "f"},
        out={"to_list": True, "input": "b"},
    )
    by_hand = Stream(lambda: numbers(3)) | ops.map(add) | ops.filter(odd) | ops.batch(2) | ops.to_list()
    lines = [str(job.explain(code=True)).split("\n", 1)[1] for job in (found.job(), by_hand)]
    assert lines[0] == lines[1]
    assert found.job().run() == [[1, 3]]


def test_branches_that_nothing_joins_run_in_the_loop_of_their_source() -> None:
    found = graph(
        n=NUMBERS,
        a={"map": "add", "input": "n"},
        one={"to_list": True, "input": "a"},
        w={"map": "words", "input": "a"},
        two={"to_list": True, "input": "w"},
        three={"count": True, "input": "w"},
    )
    assert found.job().run() == {"one": [1, 2, 3], "two": ["<1>", "<2>", "<3>"], "three": 3}
    inner = ops.map(words) | ops.broadcast(ops.count(), ops.to_list())
    by_hand = Stream(lambda: numbers(3)) | ops.map(add) | ops.broadcast(ops.to_list(), inner)
    assert str(found.explain()).split("\n", 1)[1] == str(by_hand.explain()).split("\n", 1)[1]


def test_ways_that_meet_again_each_get_every_item() -> None:
    found = graph(
        n={"source": "ticks", "args": {"seconds": 1.0}},
        s={"map": "slow", "input": "n", "concurrency": 8},
        w={"map": "words", "input": "n"},
        z={"join": "zip", "input": ["n", "s", "w", "n"]},
        out={"to_list": True, "input": "z"},
        all={"count": True, "input": "s"},
    )
    job = found.job()
    rows = [(number, number, f"<{number}>", number) for number in range(3)]

    async def twice() -> list[Any]:
        return await asyncio.gather(job, job)  # two runs, which share nothing

    assert run(twice) == [{"all": 3, "out": rows}] * 2


@pytest.mark.parametrize(
    ("join", "found"),
    [
        ("zip", [(0, "<0>"), (1, "<1>"), (2, "<2>")]),
        ({"zip": {"strict": True}}, [(0, "<0>"), (1, "<1>"), (2, "<2>")]),
        ("merge", [0, "<0>", 1, "<1>", 2, "<2>"]),
        ("latest", [(0, "<0>"), (1, "<0>"), (1, "<1>"), (2, "<1>"), (2, "<2>")]),
    ],
)
def test_several_inputs_become_one(join: Any, found: list[Any]) -> None:
    whole = graph(
        n={"source": "ticks", "args": {"seconds": 1.0}},
        w={"map": "words", "input": "n"},
        j={"join": join, "input": ["n", "w"]},
        out={"to_list": True, "input": "j"},
        direct={"to_list": True, "input": ["n", "w"], "join": join},
    )
    result = run(whole.job)
    assert sorted(result["out"], key=str) == sorted(found, key=str)
    assert result["direct"] == result["out"]


def test_the_order_of_keys_never_matters() -> None:
    given = nodes(
        n=NUMBERS,
        a={"map": "add", "input": "n"},
        z={"join": "zip", "input": ["a", "n"]},
        out={"to_list": True, "input": "z"},
    )
    whole = [
        Graph({"nodes": dict(order)}, registry=registry()) for order in permutations(given["nodes"].items())
    ]
    assert {str(each.explain()) for each in whole} == {str(whole[0].explain())}
    assert all(run(each.job) == [(1, 0), (2, 1), (3, 2)] for each in whole)


def test_graphs_inside_of_nodes_read_what_they_are_given() -> None:
    inner = {
        "inputs": ["left", "right"],
        "output": "both",
        "nodes": {"up": {"map": "add", "input": "left"}, "both": {"join": "zip", "input": ["up", "right"]}},
    }
    outer = {
        "inputs": ["it"],
        "output": "inner",
        "nodes": {"inner": {"graph": inner, "input": ["it", "it"]}, "seen": {"count": True, "input": "it"}},
    }
    found = graph(n=NUMBERS, twice={"graph": outer, "input": "n"}, out={"to_list": True, "input": "twice"})
    assert found.check() == ()
    assert list(found.nodes) == ["n", "out", "twice.inner.both", "twice.inner.up", "twice.seen"]
    assert run(found.job) == {"out": [(1, 0), (2, 1), (3, 2)], "twice.seen": 3}


def test_the_context_goes_to_those_that_ask_for_it() -> None:
    found = graph(n=NUMBERS, t={"map": "tagged", "input": "n"}, out={"to_list": True, "input": "t"})
    assert found.check() == ()
    for sid in (7, 8):
        assert found.job(context={"sid": sid}).run() == [(sid, 0), (sid, 1), (sid, 2)]
    with pytest.raises(GraphError, match="tagged asks for the context"):
        found.job()


def test_streams_among_arguments_are_named_as_nodes() -> None:
    found = graph(
        t={"interval": 1.0},
        stop={"timer": 2.5},
        until={"take_until": "stop", "input": "t"},
        out={"to_list": True, "input": "until"},
    )
    assert run(found.job) == [0, 1]


def test_a_strategy_says_how_items_wait_before_a_node() -> None:
    given: dict[str, Any] = {"n": NUMBERS, "out": {"to_list": True, "input": "s"}}
    found = graph(s={"map": "slow", "input": "n", "strategy": {"Suspend": 5}}, **given)
    by_hand = Stream(lambda: numbers(3)) | ops.buffer(Suspend(5)) | ops.map(slow) | ops.to_list()
    assert str(found.explain()).split("\n", 1)[1] == str(by_hand.explain()).split("\n", 1)[1]


def test_values_policies_and_pipes_are_written_by_their_names() -> None:
    found = graph(
        n={"source": [3, 0, 1]},
        m={
            "map": "add",
            "args": {"by": 2},
            "input": "n",
            "on_error": {"Retry": {"attempts": 2, "then": "Resume"}},
        },
        g={"group_by": "odd", "max_groups": 2, "pipe": [{"map": "words"}, {"to_list": True}], "input": "m"},
        out={"to_dict": True, "input": "g"},
    )
    assert found.check() == ()
    assert found.job().run() == {True: ["<5>", "<3>"], False: ["<2>"]}


def test_a_row_of_any_length_is_one_pipe() -> None:
    many = {f"m{number:05}": {"map": "add", "input": f"m{number - 1:05}"} for number in range(1, 2_000)}
    found = graph(m00000={"source": [0]}, **many, out={"sum": True, "input": "m01999"})
    assert found.job().run() == 1_999


def test_ways_that_part_and_meet_again_and_again_are_run_in_a_short_time() -> None:
    rows: dict[str, Any] = {}
    for number in range(24):
        rows[f"a{number}"] = {"map": "add", "input": f"m{number}"}
        rows[f"m{number + 1}"] = {"starmap": "total", "input": [f"m{number}", f"a{number}"]}
    found = graph(m0={"source": [0]}, **rows, out={"to_list": True, "input": "m24"})
    assert found.job().run() == [2**24 - 1]  # to go each way to the source takes as many steps


@pytest.mark.parametrize(("join", "then"), [("merge", "add"), ("zip", "pair")])
def test_ways_that_part_and_meet_again_many_times_are_explained_once_each(join: str, then: str) -> None:
    def explained(count: int) -> Any:
        given: dict[str, Any] = {"j0": NUMBERS}
        for number in range(count):
            given[f"w{number}"] = {"map": "add", "input": f"j{number}"}
            given[f"j{number + 1}"] = {"join": join, "map": then, "input": [f"w{number}", f"j{number}"]}
        return graph(**given, out={"drain": True, "input": f"j{count}"}).explain()

    found = {count: explained(count) for count in (1, 8, 24)}
    parts = {count: len(each.parts) - 1 for count, each in found.items()}
    assert parts == {count: count * parts[1] for count in parts}
    assert len(str(found[24])) < 24 * len(str(found[1]))
    if join == "merge":  # a pair of pairs may be made of four items
        assert [each.bound - 1 for each in found.values()] == [4, 8 * 4, 24 * 4]
