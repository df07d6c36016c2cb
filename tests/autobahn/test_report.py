"""The checker of reports: what it lets pass, and what not."""
import unittest

import report
from report import Outcome

FINE = Outcome("OK", "OK")


class Complaints(unittest.TestCase):
    def assert_complaints(self, outcomes, *expected, cases=()):
        self.assertEqual(list(report.complaints(outcomes, cases or outcomes)), list(expected))

    def test_good_outcomes_pass(self):
        self.assert_complaints({"1.1.1": FINE, "7.1.6": Outcome("INFORMATIONAL", "INFORMATIONAL")})

    def test_every_other_outcome_is_named(self):
        for outcome in ("FAILED", "NON-STRICT", "UNIMPLEMENTED", "WRONG CODE", "UNCLEAN", "FAILED BY CLIENT", "new"):
            self.assert_complaints({"1.1.1": Outcome(outcome, "OK")}, f"1.1.1: {outcome}, close OK")
            self.assert_complaints({"1.1.1": Outcome("OK", outcome)}, f"1.1.1: OK, close {outcome}")

    def test_a_case_that_was_not_run_is_named(self):
        self.assert_complaints({"1.1.1": FINE}, "1.1.2: was not run", "1.1.10: was not run",
                               cases=("1.1.10", "1.1.1", "1.1.2"))

    def test_cases_are_read_in_the_order_of_their_numbers(self):
        found = {"behavior": "OK", "behaviorClose": "OK"}
        self.assertEqual(list(report.read({"agent": {"10.1.1": found, "2.10": found, "2.9": found}}).items()),
                         [("2.9", FINE), ("2.10", FINE), ("10.1.1", FINE)])

    def test_cases_are_chosen_by_patterns(self):
        self.assertEqual(report.choose(["1.1", "12.1.5", "12.1.15"], ["*"], ["12.*.5"]), ["1.1", "12.1.15"])
        self.assertEqual(report.choose(["1.1", "9.1.1"], ["9.*"], []), ["9.1.1"])

    def test_the_table_has_a_line_for_each_case(self):
        lines = list(report.table({"server": {"1.1.1": FINE}, "client": {"1.1.2": FINE}}))
        self.assertEqual([line.split() for line in lines[1:]],
                         [["1.1.1", "OK", "OK", "-", "-"], ["1.1.2", "-", "-", "OK", "OK"]])


if __name__ == "__main__":
    unittest.main()
