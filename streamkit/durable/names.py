"""Texts that users give, and that carriers store: names of queues and groups, and keys."""

from __future__ import annotations

from streamkit._core.show import shown

__all__ = ["is_text", "named"]


def is_text(value: str) -> bool:
    """Whether it can be stored: half of a surrogate pair is no character, and no bytes stand for it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def named(argument: str, of: str, value: str) -> str:
    """Return `value`, if it can be the name of what it is to be one `of`."""
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"{argument} must be the name of a {of}, not {shown(value)}")
    if not value:
        raise ValueError(f"{argument} must be the name of a {of}, not ''")
    if not is_text(value):
        raise ValueError(
            f"{argument} must be the name of a {of}, without lone surrogates, not {shown(value)}"
        )
    return value
