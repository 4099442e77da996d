"""Progress of long work as lines of a log, where nobody may be looking and no line can be drawn over."""

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
    """Return what takes the share of work done, from 0 to 1, and now and then writes a line.

    Parameters
    ----------
    label
        What is being worked at.
    write
        Takes a line of text; a logger's `info`, say.
    every_seconds
        Seconds between lines at least, also before the first: work that is done sooner writes none.
    clock
        Returns seconds.

    """
    started = last = clock()

    def note(share: float) -> None:
        nonlocal last
        now = clock()
        if share <= 0 or now - last < every_seconds:
            return
        last = now
        bar = ("#" * int(BAR_WIDTH * share)).ljust(BAR_WIDTH, "-")
        left = (now - started) * (1 - share) / share
        write(f"{label} [{bar}] {share:4.0%}, {_clock_time(now - started)} gone, about {_clock_time(left)} left")

    return note


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
