"""When the next train leaves."""

DEPARTURES = ("06:15", "08:45", "12:30", "17:05", "21:50")


def next_departure(now: str) -> str:
    """The first departure at or after `now` (HH:MM); after the last one, the first of the next day."""
    return next((departure for departure in DEPARTURES if departure >= now), DEPARTURES[0])
