"""The JSON Schema says of a file what `check` says, as far as a schema can."""

import json
from typing import Any

import pytest

from streamkit.graph import json_schema
from streamkit.graph.__main__ import main
from streamkit.graph.vocabulary import kind_names
from tests.graph.given import registry

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def allows(schema: dict[str, Any], value: Any, whole: dict[str, Any]) -> bool:
    """Whether `schema` allows `value`; only what these schemas use is known."""
    if "$ref" in schema:
        return allows(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, whole)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(
        isinstance(value, TYPES[kind]) and (kind == "boolean") >= (value is True) for kind in kinds
    ):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value is not schema["const"]:
        return False
    if "not" in schema and allows(schema["not"], value, whole):
        return False
    if "anyOf" in schema and not any(allows(each, value, whole) for each in schema["anyOf"]):
        return False
    if isinstance(value, list) and "items" in schema:
        return all(allows(schema["items"], each, whole) for each in value)
    if not isinstance(value, dict) or ("properties" not in schema and "additionalProperties" not in schema):
        return True
    if not {*schema.get("required", ())} <= value.keys() or len(value) > schema.get("maxProperties", 99):
        return False
    others = schema.get("additionalProperties", True)
    known = schema.get("properties", {})
    return all(
        allows(known[key], each, whole)
        if key in known
        else others is True or (others is not False and allows(others, each, whole))
        for key, each in value.items()
    )


SCHEMA = json_schema(registry())
RIGHT: list[dict[str, Any]] = [
    {"source": [1, 2]},
    {"source": "numbers", "args": {"count": 3}},
    {"interval": 1.5},
    {"map": "add", "input": "n", "concurrency": 8, "args": {"by": 2}, "on_error": "Resume"},
    {"map": "add", "input": ["n", "m"], "join": "merge", "strategy": {"DropOldest": 10}},
    {"map": "add", "input": "n", "concurrency": {"Adaptive": {"least": 1, "most": 8}}},
    {"map": "add", "input": "n", "on_error": {"Retry": {"attempts": 3, "then": {"Resume": "add"}}}},
    {"batch_within": 10, "seconds": 1, "input": "n"},
    {"timeout": 5.0, "first": 9.0, "input": "n"},
    {
        "group_by": "odd",
        "max_groups": 3,
        "on_full": "fail",
        "pipe": [{"map": "add"}, {"count": True}],
        "input": "n",
    },
    {"window": {"Tumbling": {"count": 3}}, "pipe": [{"to_list": True}], "input": "n"},
    {"take_until": "t", "input": "n"},
    {"join": "zip", "input": ["a", "b"], "aligned": True, "strict": True},
    {"join": {"merge": {"lookahead": 4}}, "input": ["a", "b"]},
    {"sink": "add", "input": "n", "concurrency": 4},
    {"fold": "total", "initial": 0, "input": "n"},
    {"graph": {"inputs": ["x"], "output": "a", "nodes": {"a": {"map": "add", "input": "x"}}}, "input": "n"},
]
WRONG: list[dict[str, Any]] = [
    {},
    {"sauce": [1]},
    {"source": "unknown"},
    {"map": "unknown", "input": "n"},
    {"map": "add"},
    {"map": "add", "input": 3},
    {"map": "add", "input": "n", "concurency": 8},
    {"map": "add", "input": "n", "concurrency": "many"},
    {"map": "add", "input": "n", "strategy": {"DropOldset": 10}},
    {"map": "add", "input": "n", "strategy": {"DropOldest": {"size": 10}}},
    {"batch_within": 10, "input": "n"},
    {"batch": "ten", "input": "n"},
    {"join": "zpi", "input": ["a", "b"]},
    {"join": "zip", "input": ["a", "b"], "strickt": True},
    {"group_by": "odd", "max_groups": 3, "pipe": [{"mpa": "add"}], "input": "n"},
    {"graph": {"nodes": {"a": {"map": "add"}}}},
]


def test_what_is_right_is_allowed_and_what_is_wrong_is_not() -> None:
    for node in RIGHT:
        assert allows(SCHEMA, {"nodes": {"n": node}}, SCHEMA), node
    for node in WRONG:
        assert not allows(SCHEMA, {"nodes": {"n": node}}, SCHEMA), node
    assert not allows(SCHEMA, {"nodse": {}}, SCHEMA)
    tests = {
        "nodes": {},
        "tests": [{"name": "a", "sources": {"n": [1]}, "expect": {"o": [{"at": 1.0, "item": 2}]}}],
    }
    assert allows(SCHEMA, tests, SCHEMA)


def test_every_kind_of_node_is_in_it_with_its_summary() -> None:
    defined = SCHEMA["$defs"]
    assert {f"node-{name}" for name in kind_names()} <= defined.keys()
    assert defined["node-take"]["description"].startswith("Pass on the first `count` items")
    assert all(each["description"] for name, each in defined.items() if name.startswith(("node-", "join-")))


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
