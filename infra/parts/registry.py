"""The schema registry: Apicurio, spoken to through Confluent's API. Its schemas lie in a file, so ids outlive it."""

import json
import shutil
import tarfile
from pathlib import Path

from infra.parts.java import QUICK_START, java, shared_classes
from infra.parts.part import Part, PartError, Program, Unhealthy, http_get, need
from infra.settings import INSTALLED, Settings

JARS = INSTALLED / "jars" / "registry"
APPLICATION = INSTALLED / "registry" / "app"


def registry_part(settings: Settings) -> Part:
    registry, folder = settings.registry, settings.home / "registry"
    options = ("-Xmx192m", *shared_classes(settings, "registry")) if registry.local else ()
    command = (java(), *QUICK_START, *options, "-jar", str(_runner())) if registry.local else ()
    environment = {
        "QUARKUS_HTTP_HOST": "127.0.0.1",
        "QUARKUS_HTTP_PORT": str(registry.port),
        "REGISTRY_DATASOURCE_URL": f"jdbc:h2:file:{folder / 'schemas'}",
        "LOG_LEVEL": "WARN",
        "QUARKUS_LOG_LEVEL": "WARN",
    }
    return Part(
        name="registry",
        address=registry.url,
        local=registry.local,
        programs=(Program("registry", command, environment),),
        ports=(registry.port,),
        prepare=lambda: _prepare(folder),
        probe=lambda: probe(registry.url),
        settle=lambda: register_schemas(registry.url),
    )


def _runner() -> Path:
    archives = sorted(JARS.glob("apicurio-registry-app-*-all.tar.gz"))
    if not archives:
        raise PartError(f"the schema registry is missing ({JARS}): make setup")
    version = archives[-1].name.removeprefix("apicurio-registry-app-").removesuffix("-all.tar.gz")
    return APPLICATION / f"apicurio-registry-app-{version}-runner.jar"


def _prepare(folder: Path) -> None:
    need(JARS, "the schema registry")
    folder.mkdir(parents=True, exist_ok=True)
    if not _runner().exists():
        draft = APPLICATION.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        with tarfile.open(sorted(JARS.glob("*.tar.gz"))[-1]) as archive:
            # Debian 12 has Python 3.11.2, whose tarfile knows no filters. The archive is the one that the lock names.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(draft)
        shutil.rmtree(APPLICATION, ignore_errors=True)
        draft.rename(APPLICATION)


def probe(url: str) -> str:
    """How many subjects it has; Unhealthy when it does not say."""
    try:
        return f"{len(json.loads(http_get(f'{url}/subjects')))} subjects"
    except ValueError:
        raise Unhealthy(f"{url}/subjects does not answer as a schema registry") from None


def register_schemas(url: str) -> None:
    """Register every record of schemas/ (nothing changes for those that are there). PartError if one is refused."""
    from pipelines.contracts.registry import RegistryError, SchemaRegistry
    from pipelines.contracts.schemas import SchemaError

    try:
        SchemaRegistry(url).register_all()
    except (SchemaError, RegistryError) as error:
        raise PartError("\n".join(f"registry: {line}" for line in str(error).splitlines())) from error
