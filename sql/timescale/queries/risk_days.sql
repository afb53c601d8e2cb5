-- about: the days of an account that the value at risk told before each was held against, and the exceptions of them
SELECT days, max(exceptions) AS exceptions, min(event_time) AS told_at, max(confidence) AS confidence
FROM risk_updates
WHERE session_id = %(session)s AND account = coalesce(%(account)s::text, account) AND days > 0
GROUP BY account, days
ORDER BY account, days
