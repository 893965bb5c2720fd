import os
import time
import unittest

from timetable import DEPARTURES, next_departure


class NextDeparture(unittest.TestCase):
    def test_is_the_first_one_after_now(self):
        self.assertEqual(next_departure("08:46"), "12:30")

    def test_includes_the_train_that_leaves_now(self):
        self.assertEqual(next_departure("12:30"), "12:30")

    def test_is_tomorrows_first_after_the_last(self):
        self.assertEqual(next_departure("23:59"), DEPARTURES[0])

    def test_runs_in_the_timezone_of_the_matrix(self):
        self.assertIn(
            time.tzname[0], {"UTC": ("UTC",), "Asia/Tokyo": ("JST",)}.get(os.environ["TZ"], time.tzname)
        )


if __name__ == "__main__":
    unittest.main()
