"""What a venue answers that is asked again: how orders stand, by their last word."""

from typing import assert_never

from pipelines.execution.fix import venue_answers as answers
from pipelines.execution.fix.symbols import Symbols
from pipelines.execution.fix.venue_answers import EXECUTION, Message
from pipelines.execution.fix.venue_intake import OrderAgain, RequestAgain
from pipelines.execution.fix.venue_journal import Entry
from pipelines.execution.fix.venue_record import VenueRecord
from pipelines.execution.fix.venue_requests import AllStatusAsked, StatusAsked
from pipelines.execution.fix.venue_speech import Speech

KNOWN = "ClOrdID (11) is known already: there is no second order, this is how the first stands"

Enquiry = StatusAsked | AllStatusAsked | OrderAgain | RequestAgain


class Enquiries:
    """Reads the journal and speaks; the floor's thread asks."""

    def __init__(self, record: VenueRecord, symbols: Symbols, speech: Speech) -> None:
        self._record, self._symbols, self._speech = record, symbols, speech

    def answer(self, asked: Enquiry) -> None:
        match asked:
            case StatusAsked():
                self._status(asked)
            case AllStatusAsked(participant, request):
                self._all(participant, request)
            case OrderAgain(participant, client_order_id):
                entry = self._record.entry(participant, client_order_id)
                assert entry is not None
                self._speech.answer(participant, EXECUTION, self._standing(entry, KNOWN))
            case RequestAgain(participant, client_order_id):
                told = self._record.answer(participant, client_order_id)
                if told is not None:
                    self._speech.answer(participant, told.message, told.fields)
            case _:
                assert_never(asked)

    def _status(self, asked: StatusAsked) -> None:
        entry = self._record.entry(asked.participant, asked.client_order_id)
        if entry is None:
            self._speech.answer(asked.participant, EXECUTION, answers.unknown(asked))
            return
        fields = self._standing(entry)
        if asked.client_order_id != entry.standing.name:
            fields |= {41: asked.client_order_id}
        self._speech.answer(asked.participant, EXECUTION, fields | ({790: asked.request} if asked.request else {}))

    def _all(self, participant: str, request: str) -> None:
        entries = self._record.open_entries(participant)
        if not entries:
            self._speech.answer(participant, EXECUTION, answers.none_open(request))
        for number, entry in enumerate(entries, 1):
            last = "Y" if number == len(entries) else "N"
            told = {584: request, 911: str(len(entries)), 912: last}
            self._speech.answer(participant, EXECUTION, self._standing(entry) | told)

    def _standing(self, entry: Entry, text: str = "") -> Message:
        return answers.status(entry.names, entry.standing, self._symbols, self._record.last_word(entry.key), text)
