"""Law 3: a run never interrupts the clean-up of a source, however it is ended, and however often."""

import asyncio

import anyio
import pytest

from streamkit.testing.conformance import ends
from streamkit.testing.conformance.exits import consume, virtual_loop
from tests.laws.lab import Case, Lab, Sample
from tests.samples import SAMPLES
from tests.tiers import stride


async def by_a_scope(lab: Lab, sample: Sample, number: int) -> bool:
    with anyio.CancelScope() as scope:
        virtual_loop().call_at_step(number, scope.cancel)
        await consume(sample.built(lab))
    ends.check(lab, asyncio.current_task(), [])
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    return scope.cancelled_caught


def cancelled_by_a_scope(sample: Sample, case: Case) -> None:
    ends.ended(sample, case, by_a_scope)


ENDS = {
    "again and again": ends.cancelled_again_and_again,
    "scope": cancelled_by_a_scope,
    "shut down, first task first": ends.shut_down_first_task_first,
    "shut down, last task first": ends.shut_down_last_task_first,
}


@pytest.mark.spread
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_no_end_interrupts_a_clean_up(sample: Sample, end: str) -> None:
    every = stride(5)  # another fifth of the steps for each sample
    case = Case(every=every, first=1 + SAMPLES.index(sample) % every)
    try:
        ENDS[end](sample, case)
    except BaseException as error:
        error.add_note(f"ended at step {case.noted}")
        raise
