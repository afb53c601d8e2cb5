"""Where the services are and where their data lies: `helios.yaml`, overridden by HELIOS_* of the environment."""

import contextlib
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource
from yaml import YAMLError

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

INSTALLED = (ROOT / ".local").resolve()
"""What `make setup` brings: jars, the TimescaleDB tree. One a checkout, whatever the home, or a link to one."""


class SettingsError(ValueError):
    """One line for each fault of the settings."""


class Jit(StrEnum):
    """How a JVM compiles: `quick` is up to speed in seconds, `full` twice as fast minutes later."""

    QUICK = "quick"
    FULL = "full"


class _Service(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class KafkaSettings(_Service):
    own_bootstrap: str = Field(default="", alias="bootstrap")
    port: int = Field(19092, ge=1, le=65535)
    controller_port: int = Field(19093, ge=1, le=65535)
    heap_mb: int = 512
    jit: Jit = Jit.QUICK
    """How the local broker compiles, as `FlinkSettings.jit`: `full` serves a request in two thirds of the time."""

    @property
    def local(self) -> bool:
        """Whether the stack runs it; not if the settings name one."""
        return not self.own_bootstrap

    @property
    def bootstrap(self) -> str:
        return self.own_bootstrap or f"127.0.0.1:{self.port}"


class RegistrySettings(_Service):
    own_url: str = Field(default="", alias="url")
    port: int = Field(18080, ge=1, le=65535)

    @property
    def local(self) -> bool:
        return not self.own_url

    @property
    def url(self) -> str:
        """Of Confluent's API, without a slash at its end."""
        return self.own_url.rstrip("/") or f"http://127.0.0.1:{self.port}/apis/ccompat/v7"


class FlinkSettings(_Service):
    own_rest: str = Field(default="", alias="rest")
    port: int = Field(18081, ge=1, le=65535)
    rpc_port: int = Field(18082, ge=1, le=65535)
    taskmanagers: int = Field(1, ge=1, le=64)
    slots: int = Field(10, ge=1, le=64)
    """Of each TaskManager."""
    taskmanager_heap_mb: int = Field(1536, ge=128)
    jit: Jit = Jit.QUICK
    """How TaskManagers compile: `full` runs twice as fast in the end, but until then takes half a core to compile."""
    linger_ms: int = Field(1, ge=0, le=1000)
    """How long a job's records may wait for others on their way into Kafka: over a log that is there, 20 saves a third
    of the processor time."""

    @property
    def local(self) -> bool:
        return not self.own_rest

    @property
    def rest(self) -> str:
        return self.own_rest.rstrip("/") or f"http://127.0.0.1:{self.port}"


class TimescaleSettings(_Service):
    own_dsn: str = Field(default="", alias="dsn")
    own_reader_dsn: str = Field(default="", alias="reader")
    port: int = Field(15432, ge=1, le=65535)
    _home: Path = PrivateAttr()

    @property
    def local(self) -> bool:
        return not self.own_dsn

    @property
    def dsn(self) -> str:
        """A libpq address; the local one carries the password that lies in the home."""
        if self.own_dsn:
            return self.own_dsn
        return f"postgresql://helios:{self.password}@127.0.0.1:{self.port}/helios"

    @property
    def reader_dsn(self) -> str:
        """For questions: of a role that may only read, where there is one; else `dsn`."""
        if self.own_reader_dsn or not self.local or not self.password_file(READER).exists():
            return self.own_reader_dsn or self.dsn
        return f"postgresql://{READER}:{self.password_of(READER)}@127.0.0.1:{self.port}/helios"

    @property
    def password(self) -> str:
        """Of the local database: made at the first asking, readable by its owner alone."""
        return _secret(self._home / "timescale" / "password")

    def password_of(self, role: str) -> str:
        """Of a role that may only read, made in the same way."""
        return _secret(self.password_file(role))

    def password_file(self, role: str) -> Path:
        """Where the password of a role lies."""
        return self._home / "timescale" / f"password.{role}"


READER = "helios_reader"
"""The role of the local database that may only read."""


def _secret(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(16))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)  # whole or not at all, and the first one wins
        draft.unlink()
    return file.read_text()


class Settings(BaseSettings):
    """Everything that differs between machines. Addresses are those to use, given or local."""

    model_config = SettingsConfigDict(
        env_prefix="HELIOS_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        yaml_file=os.environ.get("HELIOS_SETTINGS", str(ROOT / "helios.yaml")),
        extra="forbid",
        frozen=True,
    )

    home: Path = INSTALLED
    record_classes: bool = False
    """Whether each JVM writes, as it ends, an archive of the classes it loaded. `make setup` does that once."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    flink: FlinkSettings = Field(default_factory=FlinkSettings)
    timescale: TimescaleSettings = Field(default_factory=TimescaleSettings)

    def compiling(self, jit: Jit) -> "Settings":
        """The same, with broker and TaskManagers that compile in this way: for benchmarks."""
        parts = {name: getattr(self, name).model_copy(update={"jit": jit}) for name in ("kafka", "flink")}
        return self.model_copy(update=parts)

    def model_post_init(self, context: Any, /) -> None:
        object.__setattr__(self, "home", (ROOT / self.home).resolve())
        self.timescale._home = self.home

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)


def load_settings() -> Settings:
    """Read the settings; SettingsError says file or variable, field and what is expected."""
    source = Settings.model_config.get("yaml_file")
    try:
        return Settings()
    except ValidationError as error:
        faults = "\n".join(_fault(f, str(source)) for f in error.errors())
        raise SettingsError(faults) from None
    except YAMLError as error:
        raise SettingsError(f"{source}: not YAML: {' '.join(str(error).split())}") from None


def _fault(fault: Any, source: str) -> str:
    place = [str(part) for part in fault["loc"]]
    variable = "HELIOS_" + "_".join(place).upper()
    where = f"{variable} of the environment" if variable in os.environ else source
    return f"{where}: {'.'.join(place)}: {fault['msg']} (got {fault['input']!r})"
