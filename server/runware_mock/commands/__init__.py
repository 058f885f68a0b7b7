"""The commands that talk to a running server."""

from runware_mock.commands.clock import clock
from runware_mock.commands.doctor import doctor
from runware_mock.commands.faults import faults
from runware_mock.commands.journal import journal
from runware_mock.commands.media import media
from runware_mock.commands.ready import ready
from runware_mock.commands.reset import accounts, reset
from runware_mock.commands.sample import sample
from runware_mock.commands.snapshot import export_state, import_state, snapshot

COMMANDS = (accounts, clock, doctor, export_state, faults, import_state, journal, media, ready, reset, sample, snapshot)
