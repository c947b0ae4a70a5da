"""Marbles: sources and what is expected of them, drawn in time, with demand and drops.

>>> from streamkit import ops
>>> from streamkit.testing import check_marbles, run
>>> run(check_marbles(ops.debounce(2.0), '''
...     items     -a-bc-----d|
...     expected  ------c----(d|)
... '''))
"""

from streamkit.testing.marbles.checks import check_marbles, draw_marbles
from streamkit.testing.marbles.drawn import Drawn, drawn
from streamkit.testing.marbles.signs import DrawnError

__all__ = ["Drawn", "DrawnError", "check_marbles", "draw_marbles", "drawn"]
