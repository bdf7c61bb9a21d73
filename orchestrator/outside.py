"""A broker that somebody else runs: a Mosquitto with the dynamic-security plugin, by one URL."""

from collections.abc import Iterable

from contract.bus import BrokerAddress
from contract.clock import Clock
from orchestrator import logins
from orchestrator.guestbook import GuestBook
from orchestrator.logins import Guest


class OutsideBroker:
    """The log-ins at an outside broker. It may be away at any time, also when the centre starts.

    The URL's user may change log-ins and needs no other right; the centre makes a log-in of its own
    for all else.
    """

    pid = None
    """No process of ours."""

    def __init__(self, admin: BrokerAddress, clock: Clock, guests: Iterable[Guest]) -> None:
        centre = logins.centre(logins.new_password())
        self.address = admin.for_user(centre.user, centre.password)
        """Where the centre itself logs in."""
        self.port = admin.port
        self.book = GuestBook(admin, clock, [centre, *guests], logins.is_of_ours)
        """Who else may log in."""

    async def run(self) -> None:
        """Keep its log-ins, until cancelled."""
        await self.book.run()
