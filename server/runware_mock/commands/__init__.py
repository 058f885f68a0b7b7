"""The commands that talk to a running server, and `exec`, which starts one."""

from runware_mock.commands.answers import answers
from runware_mock.commands.bundle import open_bundle
from runware_mock.commands.doctor import doctor, ready
from runware_mock.commands.exec import exec_command
from runware_mock.commands.faults import faults
from runware_mock.commands.journal import journal, webhooks
from runware_mock.commands.mcp import mcp
from runware_mock.commands.media import media, sample
from runware_mock.commands.state import accounts, clock, export_state, import_state, reset, snapshot

COMMANDS = (
    accounts,
    answers,
    clock,
    doctor,
    exec_command,
    export_state,
    faults,
    import_state,
    journal,
    mcp,
    media,
    open_bundle,
    ready,
    reset,
    sample,
    snapshot,
    webhooks,
)
