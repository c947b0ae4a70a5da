"""RxPY: observables as streams, streams as observables, and the operators of each inside the other's pipe.

An observable pushes and a stream is pulled, so an observable that becomes a stream needs a strategy. Under
``Suspend``, a thread that emits is blocked while the buffer is full. An emitter that runs on the event
loop's own thread, or inside ``subscribe``, cannot be blocked: the buffer overflows, and the error says what
to do.
"""

from streamkit.rx.incoming import from_observable
from streamkit.rx.outgoing import StreamObservable, to_observable
from streamkit.rx.piping import operator, pipeable

__all__ = ["StreamObservable", "from_observable", "operator", "pipeable", "to_observable"]
