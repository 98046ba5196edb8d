"""Decides which addresses of the network a server may be sent to by a stranger: only those of the public internet."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

from flashtts_core.errors import RequestError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")
_LOW_32_BITS = 0xFFFFFFFF


async def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, in the order to try them; raises ``RequestError`` if it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be written in DNS
        raise RequestError(f"The host {host!r} of the reference cannot be found.") from error
    return list(dict.fromkeys(ipaddress.ip_address(address[0]) for *_, address in found))


def is_public(address: Address) -> bool:
    """Say whether an address, and every address hidden in it, belongs to the public internet."""
    return all(
        each.is_global and not (each.is_multicast or each.is_reserved or each.is_unspecified)
        for each in _unwrapped(address)
    )


def _unwrapped(address: Address) -> Iterator[Address]:
    """Yield the address, or the IPv4 addresses that an IPv6 address is a cover for."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    low = ipaddress.IPv4Address(int(address) & _LOW_32_BITS)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        yield low
    elif address in _NAT64_LOCAL:
        yield ipaddress.IPv6Address("::")  # a network's own translation: what lies behind cannot be known
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    else:
        yield address
