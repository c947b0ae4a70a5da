from typing import Generic, TypeVar

from streamkit.runner.background import Running

R_co = TypeVar("R_co", covariant=True)

class Outside(Generic[R_co]):
    def start_in_thread(self, *, name: str | None = None) -> Running[R_co]: ...
