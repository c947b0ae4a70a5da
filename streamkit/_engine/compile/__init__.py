"""How a step becomes part of a loop: pieces of text, woven into one function per shape.

Read in this order: `pieces` (a step as text), `key` (what a shape is), `loop` (finds or compiles the loop of
a shape), `frame` (the function around the steps), `weave` (what goes inside) and the files that names.
`pace` is what a loop calls at run time.
"""
