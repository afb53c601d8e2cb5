"""Which tables a SQL text reads: the names where tables stand, after FROM, JOIN, TABLE and commas between them."""

import re

TEXT = r"'(?:[^']|'')*'|--[^\n]*"
"""Strings and comments, in which a name is no name."""

_TOKEN = re.compile(rf"(?P<text>{TEXT})|`(?P<quoted>[^`]*)`|(?P<word>[A-Za-z_]\w*)|(?P<mark>[^\s\w])")
_BEFORE = frozenset({"FROM", "JOIN", "TABLE"})
_AFTER = frozenset({"WHERE", "GROUP", "ORDER", "HAVING", "WINDOW", "UNION", "SELECT", "MATCH_RECOGNIZE", "ON"})
"""Words that end a list of tables."""


def tables_of(sql: str) -> frozenset[str]:
    """The names in places of tables. A column after the FROM of a function is among them too, and harms nothing."""
    found: set[str] = set()
    expected = False
    lists: list[bool] = [False]  # by depth of brackets: whether a comma goes on to another table
    for match in _TOKEN.finditer(sql):
        word, mark = match["word"] or "", match["mark"] or ""
        if word.upper() in _BEFORE:
            expected, lists[-1] = True, True
        elif match["quoted"] or word:
            if word.upper() in _AFTER:
                lists[-1] = expected = False
            elif expected:
                found.add(match["quoted"] or word)
                expected = False
        elif mark == "(":
            lists.append(False)
            expected = False
        elif mark == ")":
            lists = lists[:-1] or [False]
            expected = False
        elif mark == ",":
            expected = lists[-1]
    return frozenset(found)
