"""RxPY: observables as streams, streams as observables, and the operators of each inside the other's pipe.

An observable pushes and a stream is pulled, so what crosses into a stream needs a strategy. Under
``Suspend`` a thread that emits is truly held. What emits on the event loop's own thread, or inside
``subscribe`` itself, cannot be held: it overflows with an error that names the cure.
"""

from streamkit.rx.incoming import from_observable
from streamkit.rx.outgoing import StreamObservable, to_observable
from streamkit.rx.piping import operator, pipeable

__all__ = ["StreamObservable", "from_observable", "operator", "pipeable", "to_observable"]
