"""Flows: named jobs, and flows of them, that are started again when they fail, by the rules of Erlang's OTP.

>>> from streamkit import Stream, ops
>>> from streamkit.flow import Child, Flow
>>> flow = Flow(
...     Child("letters", lambda: Stream("ab") | ops.for_each(print)),
...     Child("numbers", lambda: Stream([1]) | ops.for_each(print), after=["letters"]),
... )
>>> flow.run().ok
a
b
1
True

A child is a function that makes a fresh job at each start, or another flow.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.flow.faults import Action as Action, Fault as Fault
    from streamkit.flow.handle import FlowHandle as FlowHandle, Member as Member
    from streamkit.flow.report import Left as Left, Report as Report, State as State, Status as Status
    from streamkit.flow.rules import Intensity as Intensity, Restart as Restart, Scope as Scope
    from streamkit.flow.tree import Child as Child
    from streamkit.flow.written import Flow as Flow
else:
    __getattr__, __dir__, __all__ = lazily()
