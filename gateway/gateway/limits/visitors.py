"""Where a request comes from, as limits count it: by what its sender cannot change from one to the next."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

# Whoever has IPv6 has at least 2^64 addresses.
_ADDRESS_BITS: Final = {4: 32, 6: 64}
_NETWORK_BITS: Final = {4: 24, 6: 48}
_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Visitor:
    """address: an IPv4 address or the /64 of an IPv6 one; network: its /24 or /48. Both are empty for an
    address that is none, and all such count as one.

    device is what an account may know the visitor by: a browser's own name, or else the network. It is empty
    for a browser that was never here.
    """

    address: str = ""
    network: str = ""
    device: str = ""

    @property
    def is_known_browser(self) -> bool:
        """Whether it has a name of its own, which it shares with nobody in its network."""
        return self.device not in {"", self.network}


NOBODY: Final = Visitor()
"""Whoever works at this machine, without a request."""


@lru_cache(_REMEMBERED)
def client_at(remote: str) -> Visitor:
    """An API client, by the address of its end of the connection, which EdgeKey vouches for."""
    network = network_of(remote)
    return Visitor(_address_of(remote), network, network)


def browser_at(remote: str, *, name: str) -> Visitor:
    """A browser, by the same and the name that it was given; empty when it has none."""
    device = f"browser {name}" if name else ""
    return Visitor(_address_of(remote), network_of(remote), device)


def _address_of(remote: str) -> str:
    return _within(remote, _ADDRESS_BITS).removesuffix("/32")


def network_of(remote: str) -> str:
    """The network of an address, /24 or /48: enough to recognize where one was, not to follow anyone."""
    return _within(remote, _NETWORK_BITS)


def _within(remote: str, bits: dict[int, int]) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(remote)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address.packed, bits[address.version]), strict=False))
