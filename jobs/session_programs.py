"""What the long-running programs of a session share: their options, and the session that these name."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings, load_settings
from infra.topics import session_id
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.domain.universe import Strategy


def log_to_stdout() -> None:
    """A line each, for who supervises it; Kafka's client is silent: a program says itself, once, that Kafka is away."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def stop_on_signals(stop: Callable[[], object]) -> None:
    """`stop` is called on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def options(program: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """A parser with the options that say which session."""
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{program}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bootstrap", help="Kafka; default: the settings'")
    parser.add_argument("--registry", help="schema registry; default: the settings'")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    return parser


def venue_options(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser of a simulated venue's program."""
    parser = options(program, description, epilog)
    parser.add_argument("--strategy", type=Path, required=True, help="its instruments, venues and shards are used")
    parser.add_argument("--venue", required=True, help="which of the strategy's venues this is")
    parser.add_argument("--data", type=Path, help="folder of its journals; default: venues/ in the home folder")
    parser.add_argument(
        "--window-s", type=float, default=60.0, help="of the market kept in memory (default %(default)s)"
    )
    return parser


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """Where a program's session is. `ids`: of the registry, by record."""

    settings: Settings
    bootstrap: str
    registry: SchemaRegistry
    ids: dict[str, int]
    topics: Topics
    session: str

    @classmethod
    def of(cls, flags: argparse.Namespace) -> "SessionPlace":
        """By the flags and the settings. Raises SettingsError, TopicsError, RegistryError, KafkaError."""
        settings = load_settings()
        bootstrap, topics = flags.bootstrap or settings.kafka.bootstrap, Topics(flags.prefix)
        session = session_id(bootstrap, topics)
        registry = SchemaRegistry(flags.registry or settings.registry.url)
        return cls(settings, bootstrap, registry, registry.ids(), topics, session)

    def blocks(self) -> BlockCodec:
        """Of market.ticks."""
        return BlockCodec(self.ids[RECORDS["market.ticks"]], self.registry.schema)


def strategy_of_venue(flags: argparse.Namespace) -> Strategy:
    """A venue's strategy. Raises StrategyError, and ValueError where it has no such venue."""
    strategy = load_strategy(flags.strategy)
    if flags.venue not in strategy.venue_by_name:
        raise ValueError(f"--venue {flags.venue}: {flags.strategy} has {', '.join(strategy.venue_by_name)}")
    return strategy
