"""All of them."""

from runware_mock.cli_control import clock, doctor, faults, journal, media, state

COMMANDS = (
    state.accounts,
    clock.clock,
    doctor.doctor,
    state.export,
    faults.faults,
    state.load,
    journal.journal,
    media.media,
    state.reset,
    state.snapshot,
)
