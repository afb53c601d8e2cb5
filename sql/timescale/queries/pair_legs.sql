-- about: the legs of a pair and its hedge ratio, where the loader was given the strategy
SELECT a, b, beta FROM pairs WHERE session_id = %(session)s AND pair = %(pair)s
