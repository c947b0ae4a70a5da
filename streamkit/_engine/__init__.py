"""How streams run. The engine knows no operator: it is handed declarations, and runs them.

A wing imports from the wings below it only, and within a wing imports make no cycle; a test holds that.

    face/      what users and authors of operators touch
        stream     `Stream`, `Operator`, `Sink` and how they are joined with ``|``
        methods    the same as methods of `Stream`
        shapes     what operators on items of any type make of them, for type checkers
        windowed   the same of windows
        job        a stream with a sink: `Job`, and the `Handle` of one that was started
        outside    what jobs have for code that has no event loop; its types are in `outside.pyi`
        explain    what is fused, what buffers where, and the bound in items: how that is worked out
        following  what stands behind a durable source is checked when the pipe is put together
        explanation  `Explanation`: the parts that were found, and their sums
        weight     how many items of the source an item further on counts for
        mistakes   what newcomers get wrong, answered with what to write
        step       the decorator `step`
        stage      the decorator `stage`, and how a run of a stage begins
    run/       what happens while a stream runs
        run        `Run`: what a stage is handed; opens, pumps and closes what the stage reads
        tasks      the tasks and timers of a run, which end with it
        paired     runs whose items are pairs of a delivery and an item
        form       what the items of a run look like to its stage: as they are, or such pairs
        followed   the ledgers of a run, from before its first pull to behind its end
        claims     push sources that a run may come to read, which end with it if it does not
        apart      what becomes of streams that a stage is handed: opened at once, or read apart
        ending     how tasks are cancelled: once, and never in their clean-up
        shelter    clean-up that goes on when the program ends
        pump       the pace of a loop that fills a lane, and what a cancellation inside its source means
        drives     has the reader of many lanes step the pumps of those that have nothing
        rows       has the reader of many lanes take one item of each
        steps      what both do: step pumps until it is time to let others run
        driver     readers run pumps, in the tasks of those
        reading    a channel as the source of a stream, which leaves it when it ends
        start      a source and its links become a coroutine or generator; a loop too large is cut
        own        async generators that a run closes, and nobody else
        leave      `Segment`: the close of a source, once, on every exit; `blame`: whose error it is
        direct     tasks that run their reader's loop while it waits, to deliver an item at once
        gate       `Drive`: holds a job that is paused where it waits
        iterate    ``async for``, and iterators that are dropped
        pulls      of a generator, made in the task of whoever asks, which another task may close
        polls      pulls that a task of the stream's own makes, for callers who may be cancelled
        open       ``stream.open()`` and ``aiter(stream)``: which of these, and a close that happens once
        blocking   a plain ``for``
    plan/      what a stream is before it runs
        source     what a stream begins with, opened once per run
        link       one operator with its arguments and its place in a file; `Inlet`, what a stage reads
        tracked    durable sources, which hand out deliveries; and which operators cannot follow those
        drops      how many items operators have dropped because their callbacks failed
        fuse       neighbouring buffers become one, and so do neighbours that join streams
    buffer/    where items wait between tasks
        channel    one reader, and a lane for each writer: waiting, the end, the first error
        rota       which lane is read next
        rounds     how items are taken of a lane, or of many in turn
        lane       one writer's share: the strategy acts here, and every item is counted here
        kinds      lanes that hand over, collect, mark gaps or spill
        flooding   lanes that lose or fold while they are full, which costs a count
        latest     lanes that keep the latest item, and when that came
        paired     lanes of pairs of a delivery and an item, under every strategy
        driven     lanes whose reader runs the pump
        target     what a pump writes into: a lane, or the router, fan, places or supply of a stage
        threads    channels that other threads and event loops fill
        changes    what is done to such a channel while its lock is held
        meanwhile  what interrupts a change in its own thread, and is done after it
        account    where a lane keeps its rare counts; statistics, and the sums of lanes that are gone
        book       the buffers of a job that was started
        clock      by which a buffer counts the seconds that it was full
    compile/   text of pieces -> syntax trees -> one function
        loop       finds or compiles the loop of a shape
        frame      the function around the steps: what it reads, and how it ends
        handing    what a loop does with the items that come out of it, for each kind of end
        weave      what a frame calls to have the steps written inside
        edits      how a loop is left for another, where some of its steps are replaced while it runs
        splice     ``emit(x)`` becomes the next step, with ``x`` for its ``item``
        forks      steps with branches: an item goes to all of them, or to the one that is picked
        groups     steps that run a pipe per key
        follow     which delivery an item stands for, beside it in the loop
        lasting    what a step keeps of an item beyond its turn
        nests      steps that go through the streams that their callbacks make
        names      names renamed apart, and how callbacks are awaited
        ready      what a part of a piece becomes, kept with marks, for loops of other shapes
        settle     callbacks awaited inside of expressions, in the order in which Python evaluates them
        callables  whether the first result of a callback tells of the others
        passing    which variables hold something for one turn only
        bind       the text becomes a function, whose globals are those of a user's module
        layout     which step comes after which
        lines      the text while it is written, and its limits
        pieces     a step as text, and what is found in it once it is parsed
        checks     what a piece may say; all else is refused where the step is declared
        syntax     text to syntax trees, in one thread at a time
        formulas   what a user's contract says of arguments, checked
        scopes     which names in a piece belong to a lambda or comprehension in it
        key        the shape of a loop: what is looked up to find it compiled already
        pace       how long a loop runs before it lets others run

What a buffer does when it is full is said by the strategies (``_core/strategy.py``): they are values, and a
lane asks them. Machinery that one operator owns is in ``_stages``.

Words:

*Link*      an operator as it stands in a pipe: declaration, arguments, file and line.
*Inlet*     a source and the links after it: a stream, as a stage sees it.
*Segment*   neighbouring steps, run as one loop over what is before them.
*Frame*     the function that is written around the steps of a segment.
*Loop*      the compiled function of one shape of segment; kept, and used by every segment of that shape.
*Run*       one execution of one stage.
*Target*    what a task puts items into, one at a time: ``put``, ``full``, ``room``, ``close``.
*Lane*      a target that holds items for a reader, under one strategy.
*Channel*   the lanes of one reader.
*Pump*      a task that runs a loop over an inlet into a target. Before it pulls, it waits until there is
            room.
*Driver*    what steps the pump of a driven lane: in its task; while it is parked, for the reader.
*Pace*      what a loop knows of time: after how many items it looks at the clock, and when it breathes.
*Feed*      a loop in push form: a generator into which each item is sent. While its reader waits, other tasks
            send items in, without waking it: they deliver *directly* (``Channel.direct`` is the feed).
*Scope*     a timeout or cancel scope inside a source, which may fire while the pump of the source waits.
*Book*      where the runs of a started job are entered, so that its handle can look into their buffers.

The way of an item through ``Stream(numbers) | ops.map(fetch, concurrency=8) | ops.to_list()``, where
``numbers`` makes an async generator. It crosses three tasks: the pump's, a worker's and the reader's, which
is the task that awaits the job. (``_stages`` is the folder beside this one.)

 1. ``Job.work`` calls ``run/start.py``. That begins a `Run` of the last stage, the ``map``, and makes a
    loop of what stands behind it: ``to_list``, in push form, because the workers may deliver directly.
 2. ``run/direct.py`` (``fed``) runs this loop in the reader's task. It first calls the stage:
    ``_stages/map.py`` makes a channel, a pool and a supply, and has the run pump the source.
 3. ``Run.pump`` begins the pump's task. It calls ``numbers``, and runs the loop that ``compile/loop.py``
    has for this shape: for each item of the source, ``if lane.put(item): await lane.room()``. The lane is
    the supply.
 4. ``_stages/supply.py``: ``put`` keeps the item in ``todo`` and has the crew (``_stages/crew.py``) check
    whether more workers should begin. When all eight places will be taken, the pump waits in ``room``: it
    pulls no more.
 5. A worker (``_stages/pool.py``, ``work``) takes the item, and with it a place, and awaits
    ``fetch(item)``.
 6. It is the item's turn, and the reader waits: the worker sends the result into the `Feed`. The loop of
    ``to_list`` appends it, in the worker's task. The worker keeps its place and takes the next item.
 7. Earlier results are missing: the result waits in ``Pool.done``. The worker that brings the missing one
    sends all that follow it, and gives their places back.
 8. The reader does not wait, because it is busy or paused, or a stage or an ``async for`` reads: the pool
    holds the result, as any lane does. The reader takes it out in turn (``Rota.pop``), which gives its
    place back.
 9. The source ends: the pump closes it, and then the supply. The last result closes the pool, and so the
    channel. The reader, which has waited for that, runs the ``finish`` of its loop and returns the list.
10. In every case ``Segment.leave`` (``run/leave.py``) of the reader closes what the loop has read: the
    stage. That is ``Run.leave``: it cancels the tasks that are left, and waits for them.
11. The reader is cancelled, or a callback fails: the same way. The pump is cancelled where it waits, and
    its own ``Segment.leave`` closes the source, in the task that has iterated it.
"""
