"""Commands whose flags are settings: every field of Settings is a flag and has a `RUNWARE_MOCK_*` twin."""

from typing import TYPE_CHECKING, Any

import click

from runware_mock.commands.base import EXIT_USAGE, fail

if TYPE_CHECKING:
    from runware_mock.settings import Settings

# Those that may be given several times; all other flags take one value.
_REPEATABLE = ("allow_origin", "api_key", "tls_name", "url_map")


class _Switch(click.types.BoolParamType):
    """Leaves a bad variable to Settings: click's own message takes four lines and does not name it."""

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        return value


class _Flag(click.Option):
    """The flag of a setting; its help is written only when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return how the flag is written and what it is for."""
        from runware_mock.settings import default_text, description

        default = default_text(str(self.name))
        self.help = f"{description(str(self.name))}{f'  [{default}]' if default else ''}"
        return super().get_help_record(ctx)


class SettingsCommand(click.Command):
    """A command whose flags are fields of Settings: those of `fields`, or all."""

    fields: tuple[str, ...] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the flags; only now are the settings imported that describe them."""
        if not any(isinstance(param, click.Option) and param.name == "data_dir" for param in self.params):
            from runware_mock.settings import FIELDS

            self.params[:0] = [_option(name) for name in self.fields or FIELDS]
        return super().get_params(ctx)


class StoreCommand(SettingsCommand):
    """A command on the database alone."""

    fields = (
        "data_dir",
        "database_url",
        "durable",
        "content_url",
        "content_timeout",
        "retention",
        "conflict_window",
        "replay_window",
    )


class DataFolderCommand(SettingsCommand):
    """A command on the data folder alone."""

    fields = ("data_dir",)


def _option(name: str) -> click.Option:
    from runware_mock.settings import ENV_PREFIX, FIELDS

    is_switch = FIELDS[name].type is bool
    return _Flag(
        [f"{flag(name)}/--no-{flag(name)[2:]}" if is_switch else flag(name)],
        default=None,
        multiple=name in _REPEATABLE,
        envvar=ENV_PREFIX + name.upper(),
        type=_Switch() if is_switch else None,
        metavar=None if is_switch else "TEXT",
    )


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def settings_of(values: dict[str, Any]) -> "Settings":
    """Return the settings that flags and variables make; a bad one ends the program in one line."""
    from runware_mock.settings import ENV_PREFIX, BadSetting, Settings

    try:
        return Settings(**{name: value for name, value in values.items() if value not in (None, ())})
    except BadSetting as bad:
        fail(f"bad value for {flag(bad.name)} (or {ENV_PREFIX}{bad.name.upper()}): {bad}", EXIT_USAGE)
