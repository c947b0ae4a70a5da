"""How streams run. The engine knows no operator: it is handed declarations, and runs them.

Imports run down this list, and within a wing nobody imports what stands above; a test holds that.

    face/      what users and authors of operators touch
        stream     `Stream`, `Operator`, `Sink` and how they are joined with ``|``
        shapes     what operators on items of any type make of them, for type checkers
        job        a stream with a sink: `Job`, and the `Handle` of one that was started
        explain    what is fused, what buffers where, and the bound in items
        step       the decorator `step`
        stage      the decorator `stage`, and how a run of a stage begins
    run/       what happens while a stream runs
        run        `Run`: what a stage is handed; opens, pumps and closes what the stage reads
        tasks      the tasks and timers of a run, which end with it
        pump       the pace of a loop that fills a lane, and what a cancellation inside its source means
        start      a source and its links become one coroutine or generator
        leave      the close of a source, once, on every exit; whose error it is
        direct     tasks that run their reader's loop while it waits, to deliver an item at once
        gate       holds a job that is paused
        iterate    ``async for``, ``stream.open()``, and iterators that are dropped
        blocking   a plain ``for``
    plan/      what a stream is before it runs
        source     what a stream begins with, opened once per run
        link       one operator with its arguments and its place in a file; `Inlet`, what a stage reads
        fuse       neighbouring buffers become one
    buffer/    where items wait between tasks
        channel    one reader, and a lane for each writer: waiting, the end, the first error
        rota       which lane is read next
        lane       one writer's share: the strategy acts here, and all counts of items are kept here
        kinds      lanes that hand over, collect, mark gaps or spill
        target     what a pump writes into: a lane, or the router, fan or supply of a stage
        threads    channels that other threads and event loops fill
        account    the counts of one buffer, and sums of those that are gone
        book       the buffers of a job that was started
        clock      by which a buffer counts the seconds that it was full
    compile/   text of pieces -> syntax trees -> one function
        loop       finds or compiles the loop of a shape
        frame      the function around the steps: what it reads, where items go, how it ends
        weave      what a frame calls to have the steps written inside
        splice     ``emit(x)`` becomes the next step, with ``x`` for its ``item``
        groups     steps that run a pipe per key
        names      names renamed apart, callbacks awaited
        layout     which step comes after which
        lines      the text while it is written, and its limits
        pieces     a step as text, parsed and checked
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
*Pump*      a task that runs a loop over an inlet into a target. It reserves a place before it pulls.
*Pace*      what a loop knows of time: after how many items it looks at the clock, and when it breathes.
*Feed*      a loop that others run in its reader's place, while the reader waits (`direct`).
*Book*      where the runs of a started job are entered, so that its handle can look into their buffers.

The way of an item through ``Stream(numbers) | ops.map(fetch, concurrency=8) | ops.to_list()``, where
``numbers`` makes an async generator:

 1. ``job.Job.work`` calls ``start.start``: the last stage is the ``map``, behind it a segment, ``to_list``.
 2. The declaration of the stage begins a `Run` (``stage.py``); ``_stages/map.py`` gives it a channel, a pool
    and a supply, and has the run pump the source.
 3. ``run.Run.pump`` begins a task. It runs a loop that ``compile/loop.py`` has for this shape: ``async for
    item in source``, and at its end ``supply.put(item)`` (``frame.py``).
 4. ``supply.put`` notes the item, and has the crew of workers look whether more of them should begin.
 5. A worker (``_stages/pool.py``, ``work``) takes the item, and with it one of eight places.
 6. It awaits ``fetch(item)``.
 7. While the reader waits, ``channel.direct`` is its `Feed`: the worker sends the result in, and the loop of
    ``to_list`` runs in the worker's task. The item has arrived.
 8. Otherwise, or if earlier results are still missing, the pool holds the result, as any lane does.
 9. The reader (``direct.Feed.read``) pops it in its turn, and sends it into its loop.
10. The place of the item is free: a worker takes the next, or the pump goes on.
11. The source ends: the pump closes the supply, the last worker the pool, and the channel tells its reader.
12. ``leave.Segment.leave`` closes what was read; ``Run.leave`` ends the tasks of the run and waits for them.
"""
