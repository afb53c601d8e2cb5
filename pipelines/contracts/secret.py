"""Where a secret is kept: `{file: /run/secrets/xnas}` or `{environment: XNAS_PASSWORD}`, never the secret itself."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.marked_yaml import Section


class NoSecret(RuntimeError):
    """A secret is not where it should be. Its text names the place, never the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Its place: a file, whose last line end does not count, or a variable of the environment."""

    file: Path | None = None
    environment: str = ""

    def read(self) -> str:
        """What is kept there. Raises NoSecret."""
        if self.file is not None:
            try:
                found = self.file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or type(error).__name__
                raise NoSecret(f"secret file {self.file}: {why}") from error
            if not found:
                raise NoSecret(f"secret file {self.file} is empty")
            return found
        found = os.environ.get(self.environment, "")
        if not found:
            raise NoSecret(f"secret: the environment has no {self.environment}: set it, or give a file")
        return found


def read_secret(section: Section | None, folder: Path) -> Secret | None:
    """Of a section, faults noted in it; None where it is left out. A relative file is looked for in `folder`."""
    if section is None:
        return None
    file, environment = section.text("file", default=""), section.text("environment", default="")
    if bool(file) == bool(environment):
        section.fault("file", "give one of `file` and `environment`: where the secret is kept, not the secret")
    section.done()
    return Secret(folder / file if file else None, environment)
