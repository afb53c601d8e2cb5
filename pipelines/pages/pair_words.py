"""What the page of a pair says in words and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from pipelines.history.pair_course import PairCourse
from pipelines.pages.bands import Band


def numbers(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Names and values, of what a page tells of itself."""
    signals, made = told["signals"], told["profit"]
    assert isinstance(signals, dict)
    assert isinstance(made, dict)
    for name, count in signals.items():
        yield name.replace("_", " "), f"{count:,}"
    yield "fills", f"{told['fills']:,}"
    for currency, total in made.items():
        yield f"profit, {currency or 'money'}", f"{total:+,.2f}"


def notes(course: PairCourse, bands: Sequence[Band], silent: timedelta, run: int, hidden: int) -> Iterator[str]:
    yield (
        f"All {course.rows:,} crossings and samples are drawn."
        if run == 1
        else f"Of {course.rows:,} crossings and samples each line has the first, lowest, highest and last of every "
        f"{run:,}, and what it is at those of the others."
    )
    if course.breaks:
        longest = f"{silent.total_seconds():g} s"
        yield f"Lines are open, on grey, where a leg had no quote for more than {longest} or was halted."
    if hidden:
        yield f"{hidden} such stretches of an hour or more are cut out of the axis, at the hair lines."
    if course.signals:
        yield "Pale signals led to no order."
    if course.fills and len(course.currencies) == 1:
        yield "Profit: average cost, open lots at the mids."
    elif course.fills:
        yield f"The legs are paid in {' and '.join(course.currencies)}: their profits are not added up."
    if bands:
        yield "Levels of z: " + "; ".join(f"{each.name} {each.z:g} ({', '.join(each.signals)})" for each in bands) + "."
    else:
        yield "No strategy was given, so no levels of z are drawn."
    if any(leg not in course.terms for leg in (course.a, course.b)):
        yield "Lot sizes are not known: a lot is taken as one unit."
