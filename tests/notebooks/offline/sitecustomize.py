"""Turn the network off for a Python process and for all processes that it starts: put this folder on PYTHONPATH.

Python imports a module of this name when it starts. An audit hook, unlike a patched `socket`, also sees what C code and
subclasses do, and nothing can remove it. Only the machine itself can still be reached, since kernels talk over it.
Each refusal is also written to the file named by NETWORK_LOG, where a notebook that swallows the error is still seen.
"""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

# The position of the host, or of the address that begins with it, in each audit event.
HOST_ARGUMENT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}


def is_this_machine(address: Any) -> bool:
    """Whether an address is missing, or belongs to a Unix socket or to this machine."""
    if isinstance(address, tuple):
        host = address[0]
    elif address is None or isinstance(address, (str, bytes)):
        host = address
    else:
        return True
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if not host or host == "localhost" or host.startswith(("/", "\0")):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise an OSError, as a machine without a network does, if an event would reach another machine."""
    if event not in HOST_ARGUMENT:
        return
    address = arguments[HOST_ARGUMENT[event]]
    if is_this_machine(address):
        return
    sentence = f"The network is off in this test, but {event} was asked for {address!r}."
    if log := os.environ.get("NETWORK_LOG"):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(sentence + "\n")
    raise OSError(sentence)


sys.addaudithook(refuse_outside)
