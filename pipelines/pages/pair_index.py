"""The page that names the pages of a session's pairs."""

import html
from collections.abc import Mapping, Sequence
from string import Template

from pipelines.pages.pair_page import STYLE


def file_of(pair: str) -> str:
    """The name of a pair's file: what is no letter, digit or one of `._-` is written as its code."""
    return "".join(each if each.isalnum() or each in "._-" else f"%{ord(each):x}" for each in pair) + ".html"


def pair_index(session: str, told: Sequence[Mapping[str, object]], left_out: Mapping[str, str]) -> str:
    """`told`: of each page, as it tells of itself; `left_out`: pairs without a page, and why."""
    rows = "".join(_row(each) for each in told)
    lacking = "".join(f"<li>{html.escape(pair)}: {html.escape(why)}</li>" for pair, why in left_out.items())
    return _PAGE.substitute(
        session=html.escape(session), style=STYLE, rows=rows, lacking=f"<ul>{lacking}</ul>" if lacking else ""
    )


def _row(told: Mapping[str, object]) -> str:
    pair, signals, made = str(told["pair"]), told["signals"], told["profit"]
    assert isinstance(signals, dict)
    assert isinstance(made, dict)
    # A browser takes the % of a file's name for one of its own.
    link = file_of(pair).replace("%", "%25")
    money = ", ".join(f"{total:+,.2f} {currency}" for currency, total in made.items())
    cells = (f"{told['rows']:,}", f"{sum(signals.values()):,}", f"{told['fills']:,}", money)
    return f'<tr><td><a href="{html.escape(link)}">{html.escape(pair)}</a></td>' + "".join(
        f"<td>{html.escape(cell)}</td>" for cell in cells
    )


_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Pairs</title>
<style>$style
table { border-collapse: collapse; margin-top: 16px } td, th { padding: 3px 18px 3px 0; text-align: right }
td:first-child, th:first-child { text-align: left } th { color: #6a7078; font-weight: 400; font-size: 12px }
</style>
</head>
<body>
<header><h1>Pairs</h1><p>session $session</p></header>
<table><tr><th>pair</th><th>crossings and samples</th><th>signals</th><th>fills</th><th>profit</th></tr>$rows</table>
$lacking
</body>
</html>
""")
