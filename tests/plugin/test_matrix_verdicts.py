"""The rules by which a run with a fault is judged."""

import pytest

from runware_mock.matrix.cells import Outcome, Run, Verdict, verdict

UPLOADED_TWICE = [2, 1]
TWO_UPLOADED = [2, 2]
ONE_UPLOADED = [1, 1]


def run(outcome: Outcome, uploads: list[int] | None, *, by_mock: bool = False, is_met: bool = True) -> Run:
    done = {} if uploads is None else {"imageUpload": uploads}
    return Run(outcome, done=done, by_mock=by_mock, is_met=is_met)


@pytest.mark.parametrize(
    ("plain", "with_fault", "judged"),
    [
        (ONE_UPLOADED, run("passed", ONE_UPLOADED), "survived"),
        (ONE_UPLOADED, run("failed", None), "failed"),
        (ONE_UPLOADED, run("failed", ONE_UPLOADED), "failed"),
        (ONE_UPLOADED, run("passed", None), "lost"),
        (TWO_UPLOADED, run("passed", ONE_UPLOADED), "lost"),
        # The test asked the mock, which contradicted the application.
        (ONE_UPLOADED, run("failed", None, by_mock=True), "lost"),
        (ONE_UPLOADED, run("failed", ONE_UPLOADED, by_mock=True), "failed"),
        (ONE_UPLOADED, run("passed", UPLOADED_TWICE), "doubled"),
        (ONE_UPLOADED, run("passed", TWO_UPLOADED), "doubled"),
        # To have done it twice is bad, whatever the application says.
        (ONE_UPLOADED, run("failed", UPLOADED_TWICE), "doubled"),
        # The same number, but one of the two twice.
        (TWO_UPLOADED, run("passed", UPLOADED_TWICE), "doubled"),
        # What the test does twice by itself may be done twice.
        (UPLOADED_TWICE, run("passed", UPLOADED_TWICE), "survived"),
        (ONE_UPLOADED, run("hung", UPLOADED_TWICE), "hung"),
        (ONE_UPLOADED, run("crashed", None, is_met=False), "crashed"),
        (ONE_UPLOADED, run("passed", ONE_UPLOADED, is_met=False), "not met"),
    ],
)
def test_a_run_is_judged_by_the_run_without_faults(plain: list[int], with_fault: Run, judged: Verdict) -> None:
    assert verdict(run("passed", plain), with_fault) == judged
