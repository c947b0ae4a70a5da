"""The vocabulary: a module per family. Users reach it through ``streamkit.ops``."""
