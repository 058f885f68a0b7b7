"""`python -m runware_mock` is the same as `runware-mock`."""

from runware_mock.cli import main

main()
