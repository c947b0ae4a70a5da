"""Graphs: pipelines as data, of nodes with names, which compile to streams and jobs.

Graph(data, registry=registry)      a graph from a dict; `Graph.load` reads a file
graph.check()                       every mistake, with its place and what to write instead
graph.job(context=...)              the job, as one would write it by hand
Registry()                          what the names in a graph stand for
"""

from streamkit.graph.mistakes import Fault, Mistake
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.registry import Registry
from streamkit.graph.whole import Graph

__all__ = ["Edge", "Fault", "Graph", "Mistake", "Node", "Registry"]
