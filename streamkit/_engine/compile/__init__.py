"""How a step becomes part of a loop: pieces of text, woven into one function per shape."""
