"""What a process may want to leave behind about where it ran: computer, memory, and whether the system kills."""

from __future__ import annotations

import os
import uuid
from functools import cache
from hashlib import blake2b
from pathlib import Path

import psutil


@cache
def machine() -> str:
    """This computer since it was last started, and the space in which its process numbers count; empty if unknown.

    Two containers may have one host name, and one process number each for
    two processes.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        node = uuid.getnode()
        # A node with this bit is no card's address but a random number, another one in every process.
        return "" if node >> 40 & 1 else blake2b(f"{node:012x}".encode(), digest_size=8).hexdigest()


def memory_taken() -> int:
    """Bytes of this process."""
    return int(psutil.Process().memory_info().rss)


def memory_free() -> int:
    """Bytes that programs here could still have."""
    return int(psutil.virtual_memory().available)


def kills_for_memory() -> int | None:
    """Processes that the system has ended for want of memory since it was started; None where it does not count."""
    try:
        with open("/proc/vmstat", "rb") as file:
            for line in file:
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        return None
    return None
