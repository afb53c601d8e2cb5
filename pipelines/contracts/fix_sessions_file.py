"""The FIX sessions of a gateway, one a venue.

```yaml
sender: HELIOS                    # our CompID, where a venue does not say another
venues:
  xnas:
    address: 127.0.0.1:17101
    target: XNAS                  # its CompID
    username: desk
    password: {file: xnas.password}        # or {environment: XNAS_PASSWORD}; never the password
    account: D-17                 # Account (1) of our orders
    heartbeat_s: 5
    reset: never                  # when both sides count messages from 1 again: never, logon, logout, disconnect
    hours: {start: "09:00", end: "17:30", zone: America/New_York}   # all the time where left out
    cancel_on_disconnect: true    # the venue is asked for it at logon
    messages_per_s: 50            # what is beyond waits; cancels pass
    orders_per_s: 20              # what is beyond is not sent: a mistake further up
    order_worth: 250000           # of one order at most, in its instrument's currency
    drop_copy: {address: 127.0.0.1:17101, target: XNAS, sender: HELIOS-DC}
```
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipelines.contracts.fix_session import read_hours, read_reset
from pipelines.contracts.fix_sessions import FixSession, FixVenue
from pipelines.contracts.marked_yaml import Section, read
from pipelines.contracts.secret import read_secret
from pipelines.domain.restraint import Restraint

_MOST_PER_S = 100_000


class FixSessionsError(ValueError):
    """What is wrong with the file: one line a fault, `file:line: field: what: way out`."""


def load_fix_sessions(path: Path, on: date) -> tuple[FixVenue, ...]:
    """The venues of a file. Hours are turned to UTC as of a day. Raises FixSessionsError with all that is wrong."""
    top, faults = read(path)
    sender = top.text("sender", default="HELIOS")
    venues = top.section("venues")
    found = tuple(_venues(venues, sender, path.parent, on)) if venues else ()
    if venues and not found:
        top.fault("venues", "is empty: give a venue by its name in the strategy file")
    top.done()
    if faults:
        raise FixSessionsError(str(faults))
    return found


def _venues(venues: Section, sender: str, folder: Path, on: date) -> Iterator[FixVenue]:
    for name in venues.names():
        venue = venues.section(name)
        if venue is None:
            continue
        venues.check_name(name, name)
        session = _session(venue, sender, on)
        copy = venue.section("drop_copy", required=False)
        yield FixVenue(
            name=name,
            session=session,
            username=venue.text("username", default=""),
            password=read_secret(venue.section("password", required=False), folder),
            account=venue.text("account", default=""),
            cancel_on_disconnect=venue.flag("cancel_on_disconnect"),
            restraint=Restraint(
                messages_per_s=venue.whole("messages_per_s", 0, _MOST_PER_S, default=0),
                orders_per_s=venue.whole("orders_per_s", 0, _MOST_PER_S, default=0),
                order_worth=venue.number("order_worth", default=0.0),
            ),
            drop_copy=_drop_copy(copy, session, sender, on) if copy else None,
        )
        venue.done()


def _drop_copy(copy: Section, orders: FixSession, sender: str, on: date) -> FixSession:
    session = _session(copy, sender, on)
    if (session.sender, session.target) == (orders.sender, orders.target):
        copy.fault("sender", f"{session.sender} to {session.target} is the session of orders: give a CompID of its own")
    copy.done()
    return session


def _session(section: Section, sender: str, on: date) -> FixSession:
    host, port = _address(section)
    return FixSession(
        sender=section.name("sender", default=sender),
        target=section.name("target"),
        host=host,
        port=port,
        heartbeat_s=section.whole("heartbeat_s", 1, 3600, default=5),
        reset=read_reset(section),
        hours=read_hours(section.section("hours", required=False), on),
    )


def _address(section: Section) -> tuple[str, int]:
    text = section.text("address")
    host, _, port = text.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65_536):
        section.fault("address", f"{text!r} is no address: give HOST:PORT, such as 127.0.0.1:17101")
        return "", 0
    return host, int(port)
