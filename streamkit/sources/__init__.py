"""Sources, a module per family: where items come from. `Stream(x)` takes what exists."""
