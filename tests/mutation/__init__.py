"""How `tests/mutants.py` makes mutants of a module, and tries the tests on each of them."""
