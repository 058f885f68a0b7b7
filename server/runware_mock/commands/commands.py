"""All of them, each with what it is for: `--help` lists them without importing what they need."""

from importlib import import_module
from typing import NamedTuple

import click


class Command(NamedTuple):
    """Where a command is made, as a module beside this one and its name in it, and what it is for."""

    place: str
    summary: str

    def imported(self) -> click.Command:
        """Import it."""
        module, name = self.place.split(":")
        made: click.Command = getattr(import_module(f"{__package__}.{module}"), name)
        return made


COMMANDS = {
    "accounts": Command("state:accounts", "List the accounts and how much each has."),
    "clock": Command("clock:clock", "Freeze, move and reset the clock of an account, or of all."),
    "doctor": Command(
        "doctor:doctor", "Say how each SDK is pointed at this server, check that it is reachable, and warn of traps."
    ),
    "export": Command("state:export", "Write the state of an account to FILE, a zip archive."),
    "faults": Command("faults:faults", "Plan what shall go wrong, and prove that it did."),
    "import": Command("state:load", "Give an account the state of FILE, in place of its own."),
    "journal": Command("journal:journal", "Read what was asked and answered."),
    "media": Command("media:media", "Look at what is stored, add to it, and foretell what expires."),
    "reset": Command("state:reset", "Forget everything of an account, or of all, or one part of it."),
    "snapshot": Command("state:snapshot", "Keep the state of an account under a name, and go back to it."),
}
