"""FIX sessions as both of their sides have them, and what a gateway needs to know of a venue that speaks FIX."""

from dataclasses import dataclass, field

from pipelines.contracts.fix_session import Hours as Hours
from pipelines.contracts.fix_session import Reset as Reset
from pipelines.contracts.secret import Secret
from pipelines.domain.restraint import Restraint


@dataclass(frozen=True, slots=True)
class FixSession:
    """One session, as one of its sides has it: `sender` is that side. An acceptor listens on `port` at every address of
    its machine, as QuickFIX does, and hears those of `allowed` alone."""

    sender: str
    target: str
    host: str
    port: int
    begin: str = "FIX.4.4"
    heartbeat_s: int = 5
    reset: Reset = Reset.NEVER
    hours: Hours | None = None
    allowed: tuple[str, ...] = ("127.0.0.1",)
    reconnect_s: int = 1
    own_fields: bool = True
    """Whether the other side may use fields from 5000 on that no dictionary has, such as 8013 in a Logon."""

    @property
    def name(self) -> str:
        return f"{self.begin}:{self.sender}->{self.target}"


@dataclass(frozen=True, slots=True)
class FixVenue:
    """A venue that is reached by FIX. Secrets are read at each logon."""

    name: str
    session: FixSession
    username: str = ""
    password: Secret | None = None
    account: str = ""
    cancel_on_disconnect: bool = False
    """Asked for at logon (8013): the venue then cancels what is open when the session goes."""
    restraint: Restraint = field(default_factory=Restraint)
    drop_copy: FixSession | None = None
