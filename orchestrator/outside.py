"""A broker that somebody else runs, by one URL."""

from collections.abc import Iterable
from dataclasses import replace

from contract.bus import BrokerAddress
from contract.clock import Clock
from orchestrator import logins
from orchestrator.askedbook import AskedBook
from orchestrator.guestbook import GuestBook
from orchestrator.logins import Guest


class OutsideBroker:
    """The log-ins at an outside broker. It may be away at any time, also when the centre starts."""

    pid = None
    """No process of ours."""

    def __init__(self, address: BrokerAddress, book: GuestBook | AskedBook) -> None:
        self.address = address
        """Where the centre itself logs in."""
        self.port = address.port
        self.book = book
        """Who may log in."""

    @classmethod
    def told(cls, admin: BrokerAddress, clock: Clock, guests: Iterable[Guest]) -> "OutsideBroker":
        """Give a Mosquitto with the dynamic-security plugin, which is told of log-ins.

        `admin` may change log-ins and needs no other right; the centre makes a log-in of its own
        for all else.
        """
        centre = logins.centre(logins.new_password())
        book = GuestBook(admin, clock, [centre, *guests], logins.is_of_ours)
        return cls(admin.for_user(centre.user, centre.password), book)

    @classmethod
    def asking(cls, centre: BrokerAddress, secret: str, guests: Iterable[Guest]) -> "OutsideBroker":
        """Give a broker that asks about log-ins, that of the centre itself too."""
        mine = replace(logins.centre(centre.password), user=centre.user)
        return cls(centre, AskedBook(secret, [mine, *guests]))

    async def run(self) -> None:
        """Keep its log-ins, until cancelled."""
        await self.book.run()
