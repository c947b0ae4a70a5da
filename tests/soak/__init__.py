"""The soak: random pipelines beside a slow and obviously right reference, under schedules and faults.

    make soak MINUTES=10                         as many cases as there is time for, on all cores
    python -m tests.soak --seed 7 --case 1234    one case again, which failed

A case is a pipeline of 3 to 8 operators, and several trials of it, each with faults and a schedule of its
own. What comes out of a trial is compared with what the reference says, and the laws are checked: each source
was closed once, in its own task; nothing is lost, doubled, left behind or hangs; no more is inside than
`explain()` says.

    values      items, callbacks and errors, the same for the library and for the reference
    line        what the reference makes of a stream: its items, when they come, and how it ends
    words       what is written of each operator: arguments to draw, how to make it, what it means
    reference   the reference: a pipeline read by hand, and judged by what came out of a run
    words_of_*  the words: steps; joins, whose order is free; buffers; time and timetables; sinks
    kit         sources, callbacks and consumers of one run, with the faults of its plan
    pipeline    pipelines as data: drawn, made with the library, read by the reference
    plans       what goes wrong in the trials of a pipeline
    trial       one run, and all that is checked of it
    shrink      a failing case with fewer operators, items and faults
    cases       a case by its number, and its failures as they are told
    drive       processes, figures, and what `make soak` prints
"""
