"""Machinery that one operator owns, too large for its family module.

threaded    a blocking iterable, read in a thread of its own
push        the emitter of a push source, and the source that it fills
inbox       what stands for a push source of each run, where a job is started with one
sequence    streams that follow each other, as those of ``concat`` and ``catch`` do: one loop reads them all
through     the steps between such streams, which run in turn, on a flat stack
each        the streams that a function makes of items, as one that stands on that stack
filling     such streams read into a lane, where the last may end in the operator that owns the lane
flat_map    the places of a ``flat_map``: how many inner streams are read at once
place       what stands in the rota for a ``flat_map``: a lane for each place, and its outer source
switch      one inner stream at a time: the newest (``switch_map``), or the first (``exhaust_map``)
crawl       the places of an ``expand``, and the frontier, in which items wait for one
bursts      items that go into the lanes of several readers, put there once for all that come in a turn
broadcast   each item to a lane of every branch, where branches have tasks of their own
group_by    each item to the group of its key, where groups have tasks of their own
keyed       steps that a stage puts around a pipe, which add a key or a name
berth       where such groups work, one after the other
panes       the windows of ``window`` that are open, which end when, and what is late
window_steps   what each kind of windows does with an item, in the loop
window_stages  the clock of windows, the account of late items, and windows that have tasks of their own
inputs      the streams that operators combine, as arguments and as lanes
route       each item to the one branch that it is for, or that is free
branches    what comes out of the branches of these three
outputs     items that say for which branch they are, by its name
forks       their branches as arguments: which may stand beside each other, and which are spliced
hub         the producers of a hub, and their turns
consumers   its consumers, and the buffers from which they read
joining     which run of a shared stream a reader joins, and how many readers that waits for
share       that run, for readers that come and go
share_pairs    the same of a durable source, whose deliveries each reader has a portion of
map         which kind of supply a concurrent ``map`` has, and how it begins
pool        its results, and what one worker does with an item
supply      its items that are still to be worked on, and the places for them
crew        its workers: who begins when there is more to do, and how they rest together
governed    a pool and a supply under a limit that changes, or with calls of one key in turn
spread      the supply behind steps that make several items of one
pull        the loop of such steps, which whoever has a place runs on to its next item
throttle    its tokens, and what it leaves in a buffer until they are there
paced       a ``throttle`` that is a step in the loop of its reader
timetable   when ticks are due by the clock on the wall, and the wait for it
deadline    when an item must have come: ``timeout`` and ``keep_alive``, and their one timer
"""
