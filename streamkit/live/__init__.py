"""Pipes that change while they run: slots, and changes of several at once.

>>> import asyncio
>>> from streamkit import Suspend, ops, push
>>> from streamkit.live import Slot
>>> async def main():
...     letters, emitter = push(Suspend(1), of=str)
...     slot = Slot(ops.map(str.upper))
...     job = (letters | slot | ops.to_list()).start()
...     await emitter.send("a")
...     await asyncio.sleep(0.01)  # it is through
...     await slot.replace(ops.filter(str.isalpha))
...     await emitter.send("b")
...     emitter.close()
...     return await job
>>> asyncio.run(main())
['A', 'b']
"""

from streamkit.live.change import Change
from streamkit.live.slot import Filling, Slot, slots
from streamkit.live.together import edit

__all__ = ["Change", "Filling", "Slot", "edit", "slots"]
