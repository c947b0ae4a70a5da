"""Floor 4: neighbours, one module each, imported when they are first used."""
