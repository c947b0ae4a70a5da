"""The types of flows."""

from typing import assert_type

from streamkit import Backoff, Job, Stream, ops
from streamkit.flow import Child, Fault, Flow, FlowHandle, Intensity, Member, Report, Restart, Scope, Status


def make() -> Job[list[int]]:
    return Stream([1, 2, 3]) | ops.to_list()


def told(fault: Fault) -> None:
    assert_type(fault.error, BaseException)
    assert_type(fault.operator, str | None)


CHILD = Child("numbers", make, restart=Restart.PERMANENT, after=["a"], backoff=Backoff(1.0), reset_after=None)


def test_flow() -> None:
    flow = Flow(Child("a", make), CHILD, scope=Scope.REST, intensity=Intensity(1, seconds=2.0), on_error=told)
    assert_type(Flow(Child("inner", flow)).children, tuple[Child, ...])
    assert_type(Flow().run(), Report)


async def steered(handle: FlowHandle) -> None:
    assert_type(handle.status(), Status)
    assert_type(handle["a"], Member)
    assert_type(handle.add(Child("b", make)), Member)
    assert_type(await handle["a"].stop(1.0), Report)
    assert_type(await handle.stop(deadline=1.0), Report)
    assert_type(await handle, None)
    assert_type(await Flow(), None)
