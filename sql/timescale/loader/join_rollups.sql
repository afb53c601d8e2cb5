-- about: bars of a batch of new ticks, joined to those that are there: pipelines/domain/rollups.py, said in SQL
-- note: {rollups} is ohlcv_1s, ohlcv_1m or ohlcv_1d; in the order of the key, so that two writers wait and do not deadlock
INSERT INTO {rollups} AS kept (
    session_id, venue, instrument, start_time, open, high, low, close, of_trades, open_ns, open_sequence, close_ns,
    close_sequence, volume, notional, trades, quotes, left_out, bid, ask, bid_size, ask_size, quote_ns, quote_sequence,
    first_ns, last_ns)
SELECT %(session)s, named.venue, named.instrument, i.start_time, nullif(open, 'NaN'), nullif(high, 'NaN'), nullif(low, 'NaN'),
    nullif(close, 'NaN'), of_trades = 1, open_ns, open_sequence, close_ns, close_sequence, volume, notional, trades,
    quotes, left_out, nullif(bid, 'NaN'), nullif(ask, 'NaN'), nullif(bid_size, 'NaN'), nullif(ask_size, 'NaN'), quote_ns,
    quote_sequence, first_ns, last_ns
FROM {incoming} i
JOIN unnest(%(venues)s::text[], %(instruments)s::text[]) WITH ORDINALITY AS named (venue, instrument, number)
    ON named.number = i.instrument + 1
WHERE i.level = %(level)s
ORDER BY named.instrument, i.start_time, named.venue
ON CONFLICT (session_id, instrument, start_time, venue) DO UPDATE SET
    open = CASE WHEN (kept.of_trades, excluded.open_ns, excluded.open_sequence, excluded.open)
        < (excluded.of_trades, kept.open_ns, kept.open_sequence, kept.open)
        THEN excluded.open ELSE kept.open END,
    open_ns = CASE WHEN (kept.of_trades, excluded.open_ns, excluded.open_sequence, excluded.open)
        < (excluded.of_trades, kept.open_ns, kept.open_sequence, kept.open)
        THEN excluded.open_ns ELSE kept.open_ns END,
    open_sequence = CASE WHEN (kept.of_trades, excluded.open_ns, excluded.open_sequence, excluded.open)
        < (excluded.of_trades, kept.open_ns, kept.open_sequence, kept.open)
        THEN excluded.open_sequence ELSE kept.open_sequence END,
    close = CASE WHEN (excluded.of_trades, excluded.close_ns, excluded.close_sequence, excluded.close)
        > (kept.of_trades, kept.close_ns, kept.close_sequence, kept.close)
        THEN excluded.close ELSE kept.close END,
    close_ns = CASE WHEN (excluded.of_trades, excluded.close_ns, excluded.close_sequence, excluded.close)
        > (kept.of_trades, kept.close_ns, kept.close_sequence, kept.close)
        THEN excluded.close_ns ELSE kept.close_ns END,
    close_sequence = CASE WHEN (excluded.of_trades, excluded.close_ns, excluded.close_sequence, excluded.close)
        > (kept.of_trades, kept.close_ns, kept.close_sequence, kept.close)
        THEN excluded.close_sequence ELSE kept.close_sequence END,
    high = CASE WHEN excluded.of_trades = kept.of_trades THEN greatest(kept.high, excluded.high)
                WHEN kept.of_trades THEN kept.high ELSE excluded.high END,
    low = CASE WHEN excluded.of_trades = kept.of_trades THEN least(kept.low, excluded.low)
               WHEN kept.of_trades THEN kept.low ELSE excluded.low END,
    of_trades = kept.of_trades OR excluded.of_trades,
    volume = kept.volume + excluded.volume,
    notional = kept.notional + excluded.notional,
    trades = kept.trades + excluded.trades,
    quotes = kept.quotes + excluded.quotes,
    left_out = kept.left_out + excluded.left_out,
    bid = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.bid ELSE kept.bid END,
    ask = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.ask ELSE kept.ask END,
    bid_size = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.bid_size ELSE kept.bid_size END,
    ask_size = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.ask_size ELSE kept.ask_size END,
    quote_ns = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.quote_ns ELSE kept.quote_ns END,
    quote_sequence = CASE WHEN (excluded.quote_ns, excluded.quote_sequence, excluded.bid) > (kept.quote_ns, kept.quote_sequence, kept.bid)
        THEN excluded.quote_sequence ELSE kept.quote_sequence END,
    first_ns = least(kept.first_ns, excluded.first_ns),
    last_ns = greatest(kept.last_ns, excluded.last_ns)
