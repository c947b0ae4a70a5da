"""The process that measures one workload, and tells line by line what it does, for `watch` to read.

python -m benchmarks.worker '{"workload": ..., "size": 3, "names": [...], "effort": "FULL"}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from typing import Any

from benchmarks import measure
from benchmarks.workloads import WORKLOADS


def main(task: dict[str, Any]) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is no report

    def tell(event: str, **said: Any) -> None:
        print(json.dumps({"event": event, **said}), file=out, flush=True)

    warnings.simplefilter("ignore")
    effort: measure.Effort = getattr(measure, task["effort"])
    asyncio.run(measure.contest(WORKLOADS[task["workload"]], task["size"], task["names"], effort, tell))
    tell("ends")
    out.flush()
    os._exit(0)  # threads that a peer left behind need not end


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
