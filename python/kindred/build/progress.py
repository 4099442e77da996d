"""Report the progress of long work in a log, where lines cannot be overwritten and nobody may be watching."""

from __future__ import annotations

import time
from collections.abc import Callable

BAR_WIDTH = 20


def log_progress(
    label: str,
    write: Callable[[str], object],
    every_seconds: float = 15,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[float], None]:
    """Return a function that takes the share of work done, from 0 to 1, and writes a line now and then.

    Parameters
    ----------
    label
        The name of the work.
    write
        Takes a line of text, such as the `info` of a logger.
    every_seconds
        Minimum seconds between lines, and before the first: shorter work writes no line.
    clock
        Returns seconds.

    """
    started = last = clock()

    def report(share: float) -> None:
        nonlocal last
        now = clock()
        if share <= 0 or now - last < every_seconds:
            return
        last = now
        bar = ("#" * int(BAR_WIDTH * share)).ljust(BAR_WIDTH, "-")
        left = (now - started) * (1 - share) / share
        write(f"{label} [{bar}] {share:4.0%}, {_clock_time(now - started)} gone, about {_clock_time(left)} left")

    return report


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
