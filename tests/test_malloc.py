"""Memory is given back once, when the work has come to rest."""

from runware_mock import malloc


def test_memory_is_given_back_once_after_each_stretch_of_work() -> None:
    done, given_back = 0, []
    idleness = malloc.Idleness(lambda: done, lambda: given_back.append(done))
    idleness.look()
    assert given_back == []  # nothing was done yet
    for count, expected in ((3, []), (5, []), (5, [5]), (5, [5]), (6, [5]), (6, [5, 6]), (6, [5, 6])):
        done = count
        idleness.look()
        assert given_back == expected
