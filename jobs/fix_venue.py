"""A simulated venue that speaks FIX 4.4: `python -m jobs.fix_venue`. Killed, it goes on from its journal."""

import argparse
import logging
import sys
from pathlib import Path

from kafka.errors import KafkaError

from infra.settings import SettingsError
from infra.topics import TopicsError
from jobs.session_programs import SessionPlace, log_to_stdout, stop_on_signals, strategy_of_venue, venue_options
from pipelines.contracts.fix_venue_file import load_fix_venue
from pipelines.contracts.registry import RegistryError
from pipelines.contracts.secret import NoSecret
from pipelines.contracts.strategy_file import StrategyError
from pipelines.domain.market import NS_PER_S
from pipelines.execution.fix.engine import NoEngine
from pipelines.execution.fix.venue_process import VenuePlace, VenueProcess
from pipelines.execution.journal_file import JournalTaken
from pipelines.execution.tick_log import TickLog

EXAMPLE = """example:
  export DESK_PASSWORD=secret RISK_PASSWORD=secret
  python -m jobs.fix_venue --strategy strategy.yaml --venue sim --file examples/venues/xsim.yaml
"""

log = logging.getLogger("helios.venue")


def main() -> int:
    log_to_stdout()
    flags = _parser().parse_args()
    try:
        venue = _venue(flags)
    except (SettingsError, StrategyError, TopicsError, RegistryError, NoEngine, NoSecret, ValueError) as error:
        print(f"fix venue: {error}", file=sys.stderr)
        return 2
    except (JournalTaken, KafkaError, OSError) as error:
        print(f"fix venue: {error}", file=sys.stderr)
        return 1
    stop_on_signals(venue.stop)
    try:
        waiting = venue.start()
        log.info("venue=%s state=started waiting=%d config=%s", flags.venue, waiting, venue.config)
        venue.run()
    except Exception as error:
        log.error("state=failed error=%r", f"{type(error).__name__}: {error}")
        venue.end(1)
    log.info("state=stopped")
    venue.end(0)
    return 0


def _parser() -> argparse.ArgumentParser:
    told = "A simulated venue that speaks FIX 4.4: a book of orders, driven by market.ticks in event time."
    parser = venue_options("fix_venue", told, EXAMPLE)
    parser.add_argument("--file", type=Path, required=True, help="who may log on, how it matches: examples/venues")
    return parser


def _venue(flags: argparse.Namespace) -> VenueProcess:
    strategy, file = strategy_of_venue(flags), load_fix_venue(flags.file)
    of = SessionPlace.of(flags)
    folder: Path = flags.data or of.settings.home / "venues"
    name = f"fix-{flags.venue}-{of.session}"
    instruments = {each.id: each for each in strategy.instruments if each.venue == flags.venue}
    place = VenuePlace(
        name=flags.venue,
        instruments=instruments,
        shard_of={each: strategy.shards_by_instrument[each][0] for each in instruments},
        ticks=TickLog(of.bootstrap, of.topics.ticks, of.blocks()),
        journal=folder / f"{name}.sqlite3",
        store=folder / f"{name}-store",
        messages=folder / f"{name}-messages.log",
    )
    venue = VenueProcess(file, place, round(flags.window_s * NS_PER_S))
    log.info(
        "venue=%s state=opened session=%s comp_id=%s port=%d journal=%s messages=%s faults=%s",
        flags.venue, of.session, file.comp_id, file.port, place.journal, place.messages, file.faults,
    )  # fmt: skip
    return venue


if __name__ == "__main__":
    sys.exit(main())
