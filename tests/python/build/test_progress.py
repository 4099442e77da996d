"""Lines of progress in a log."""

import pytest

from kindred.build.progress import log_progress


@pytest.fixture
def log():
    """A clock that is set by hand, the lines written, and the function that takes shares of work."""
    times, lines = [0.0], []
    return times, lines, log_progress("lists", lines.append, every_seconds=10, clock=lambda: times[-1])


def test_lines_say_how_far_and_how_long(log):
    times, lines, report = log
    times.append(30)
    report(0.25)
    times.append(3600 + 120)
    report(0.5)
    assert lines == [
        "lists [#####---------------]  25%, 0:00:30 gone, about 0:01:30 left",
        "lists [##########----------]  50%, 1:02:00 gone, about 1:02:00 left",
    ]


def test_lines_are_seconds_apart_and_short_work_writes_none(log):
    times, lines, report = log
    for second in range(1, 10):
        times.append(second)
        report(second / 9)
    assert lines == []
    for second in range(10, 100):
        times.append(second)
        report(second / 100)
    assert len(lines) == 9


def test_work_that_has_not_begun_writes_no_line(log):
    times, lines, report = log
    times.append(60)
    report(0)
    assert lines == []
