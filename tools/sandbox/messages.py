"""The messages between this process and the server of the children that evaluate code (``server.py``)."""

import struct

__all__ = ["KILL", "REQUEST", "STATUS", "WAIT"]

REQUEST = struct.Struct("!QQQ")
"""The limits of a call: seconds on the processor, memory in MiB, steps of the evaluator. Three files go with it."""
STATUS = struct.Struct("!i")
"""How a child ended: its exit code, or minus the signal that ended it."""
KILL, WAIT = b"k", b"w"
"""End the child; end it, if it has not ended, and say how it did."""
