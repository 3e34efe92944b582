"""What Linux says of a running process."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes of memory that it holds (RSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no VmRSS of {pid}")


def processor_seconds(pid: int) -> float:
    """Processor time that it has used, in all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid: int) -> int:
    """How many descriptors it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def holds_connection(here: int, there: int) -> bool:
    """Whether some process has the connection between these two ports of loopback open, at the side of `here`."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_ = fields = line.split()
        ports = int(local.partition(":")[2], 16), int(remote.partition(":")[2], 16)
        if ports == (here, there) and fields[9] != "0":  # the inode: there is none once it was closed
            return True
    return False


def comes_true(what: Callable[[], bool], within: float) -> bool:
    """Asks until the answer is yes, or the time is over."""
    deadline = time.monotonic() + within
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
