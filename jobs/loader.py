"""The loader's process: `python -m jobs.loader`. Ends on SIGTERM, or when a newer loader takes its session."""

import argparse
import logging
import os
import sys
from pathlib import Path
from threading import Event

from infra.settings import SettingsError, load_settings
from jobs.session_programs import log_to_stdout, options, stop_on_signals
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.contracts.topics import Topics
from pipelines.history.loader import Loader, LoaderConfig
from pipelines.history.timescale import HistoryError, place
from pipelines.history.writer import Superseded

log = logging.getLogger("helios.loader")


def main() -> int:
    log_to_stdout()
    try:
        config = _config(_parser().parse_args())
    except (SettingsError, StrategyError) as error:
        print(f"loader: {error}", file=sys.stderr)
        return 2
    stop = Event()
    stop_on_signals(stop.set)
    log.info("Kafka %s, topics %s*, Timescale %s", config.bootstrap, config.topics.prefix, place(config.dsn))
    try:
        Loader(config, stop).run()
    except Superseded as error:
        # Not a failure: a supervisor that started this one again would only fight the newer one.
        log.warning("%s", error)
    except HistoryError as error:
        log.error("%s", error)
        return 1
    log.info("stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = options("loader", "Kafka to TimescaleDB, each event once.")
    parser.add_argument(
        "--dsn", help="TimescaleDB; default: $HELIOS_LOADER_DSN, then the settings'. A password: PGPASSFILE"
    )
    parser.add_argument("--strategy", type=Path, help="keep its instruments and pairs with the session")
    return parser


def _config(flags: argparse.Namespace) -> LoaderConfig:
    settings = load_settings()
    return LoaderConfig(
        bootstrap=flags.bootstrap or settings.kafka.bootstrap,
        registry_url=flags.registry or settings.registry.url,
        dsn=flags.dsn or os.environ.get("HELIOS_LOADER_DSN") or settings.timescale.dsn,
        topics=Topics(flags.prefix),
        strategy=None if flags.strategy is None else load_strategy(flags.strategy),
    )


if __name__ == "__main__":
    sys.exit(main())
