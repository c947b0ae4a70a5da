"""How a pytest in another process, or inside this one, gets the plugin."""

from importlib.metadata import entry_points

__all__ = ["loaded"]


def loaded() -> tuple[str, ...]:
    """Options that load the plugin, where streamkit was installed before it had an entry point."""
    found = [each.value for each in entry_points(group="pytest11", name="streamkit")]
    return () if found == ["pytest_streamkit"] else ("-p", "pytest_streamkit")
