"""``python -m tests.soak``: a soak of some minutes, or one case again."""

import argparse
import sys
import time

from tests.soak.cases import Tally, each_case, tried_case
from tests.soak.drive import cores, figures, soak


def main(words: list[str]) -> int:
    """Do what the command line says; 1 if something has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to go on (10)")
    parser.add_argument("--seed", type=int, default=0, help="another seed has other cases (0)")
    parser.add_argument("--case", type=int, help="one case only: that of this number")
    parser.add_argument("--processes", type=int, default=cores(), help="how many at once (one for each core)")
    given = parser.parse_args(words)
    begin = time.monotonic()
    if given.case is not None:
        print(each_case(given.seed, given.case)[0])
        tally = Tally()
        failures = list(tried_case(given.seed, given.case, tally))
        for failure in failures:
            print(failure)
        given.processes, tally.seconds = 1, time.process_time()
    else:
        tally, failures = soak(given.seed, given.minutes, given.processes)
    print(figures(tally, failures, time.monotonic() - begin, given.processes))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
