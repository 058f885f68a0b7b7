"""The tables of the documentation that come from the code."""

from datetime import timedelta
from typing import get_args

from runware_mock.faults.base import Fault
from runware_mock.faults.kinds import AnyFault
from runware_mock.settings import Settings, default_text
from runware_mock.values import write_duration

KINDS: tuple[type[Fault], ...] = get_args(get_args(AnyFault)[0])


def settings_rows() -> list[str]:
    """Return a row for each flag of `serve`."""
    return [
        f"| `--{name.replace('_', '-')}` | {_shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def fault_rows() -> list[str]:
    """Return a row for each kind of fault: its name, its own fields with their defaults, what happens."""
    return [f"| `{name_of(kind)}` | {_fields(kind)} | {(kind.__doc__ or '').splitlines()[0]} |" for kind in KINDS]


def common_field_rows() -> list[str]:
    """Return a row for each field that all kinds have."""
    return [f"| `{name}` | {field.description} |" for name, field in Fault.model_fields.items()]


def name_of(kind: type[Fault]) -> str:
    """Return what a plan calls this kind."""
    return str(get_args(kind.model_fields["kind"].annotation)[0])


def _fields(kind: type[Fault]) -> str:
    own = {name: field for name, field in kind.model_fields.items() if name not in {*Fault.model_fields, "kind"}}
    return ", ".join(
        f"`{name}`{'' if field.is_required() else _default(field.get_default())}" for name, field in own.items()
    )


def _default(value: object) -> str:
    if value is None or value is False or value in ("", {}):
        return ""
    return f" ({write_duration(value) if isinstance(value, timedelta) else str(value).lower()})"


def _shown_default(name: str) -> str:
    """Write a default; the data folder is different for each user."""
    default = "" if name == "data_dir" else default_text(name)
    return f"`{default}`" if default else ""
