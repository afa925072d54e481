"""How much one visitor may take, and all visitors of this server together.

Somebody who opens many pages, or whose browser keeps no cookies, looks like many visitors: only the network tells. But
a class behind one router, or behind a proxy that says no addresses, is one network, too. So a network may always have
half, be it of all or of what others have left: thirty pupils have fifteen times what a tenth would be for a stranger,
and nobody, however many pages they open, leaves nothing for the next one.
"""

import ipaddress
import secrets

from ser_core import machine

MAX_VISITORS = 300  # pages that are open at the same time
MAX_OF_NETWORK = 200  # of them, of one network, which may be that of a whole school

# Recordings, as files in memory.
MAX_TAKES = 50  # of a session
SESSION_BYTES = 60 * 2**20
ALL_BYTES = min(600 * 2**20, machine.memory() // 6)  # of all sessions together
NETWORK_BYTES = ALL_BYTES // 2  # of all sessions of one network
UPLOADS_BYTES = ALL_BYTES // 2  # of all sessions together, on their way and until the pages take them

# Stands before the words that a page gets in place of a file for which there was no room. Nobody can guess it.
REFUSED = secrets.token_bytes(32)

# Recordings, decoded and heard. As many at once as there are cores: see `line`.
LONG_S = 60.0  # what is longer makes way for others while it is heard, and few of its kind are heard at once
DECODED_BYTES = min(128 * 2**20, machine.memory() // 12)  # that are kept decoded, of all sessions: half an hour

DOWNLOADS = 5  # that one page may ask for at once; after that, one a second


def network_of(address: str | None) -> str:
    """Whose address that is: itself; of IPv6 its first half, since a household has all addresses that begin with it.

    Parameters
    ----------
    address : str or None

    Returns
    -------
    str
        Empty if there is no address, as for visitors on this machine itself.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return str(address or "")  # no address of a network, such as a socket's
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def refusal(content: bytes) -> str:
    """Why there is no file.

    Parameters
    ----------
    content : bytes
        Of what was uploaded.

    Returns
    -------
    str
        Empty if it is a file.
    """
    return content.removeprefix(REFUSED).decode() if content.startswith(REFUSED) else ""
