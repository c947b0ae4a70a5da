"""Floor 2: how streams run. Knows no operator."""
