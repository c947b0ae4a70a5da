"""Graphs: pipelines as data, of nodes with names, which compile to streams and jobs.

Graph(data, registry=registry)      a graph from a dict; `Graph.load` reads a file
graph.check()                       every mistake, with its place and what to write instead
graph.job(context=...)              the job, as one would write it by hand
graph.start(context=...)            the same in the event loop, to which other graphs can be applied
Registry()                          what the names in a graph stand for
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.graph.build import GraphJob as GraphJob
    from streamkit.graph.cases import Case as Case
    from streamkit.graph.difference import Difference as Difference
    from streamkit.graph.mistakes import Fault as Fault, Mistake as Mistake
    from streamkit.graph.nodes import Edge as Edge, Node as Node
    from streamkit.graph.registry import Registry as Registry
    from streamkit.graph.running import Applied as Applied, RunningGraph as RunningGraph
    from streamkit.graph.schema import json_schema as json_schema
    from streamkit.graph.trial import Outcome as Outcome, fixed as fixed, run_tests as run_tests
    from streamkit.graph.whole import Graph as Graph
    from streamkit.graph.yaml import read_yaml as read_yaml
else:
    __getattr__, __dir__, __all__ = lazily(extras=frozenset({"read_yaml"}))
