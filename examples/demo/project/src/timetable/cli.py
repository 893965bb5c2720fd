"""`timetable [HH:MM]`."""

import sys
import time

from timetable import next_departure


def main() -> None:
    now = sys.argv[1] if len(sys.argv) > 1 else time.strftime("%H:%M")
    print(f"after {now} {time.tzname[0]} the next train leaves at {next_departure(now)}")
