"""The tables of the documentation that come from the code."""

from runware_mock.faults.kinds import KINDS, common_fields, example, meaning, own_fields
from runware_mock.settings import Settings, default_text


def settings_rows() -> list[str]:
    """Return a row for each flag of `serve`."""
    return [
        f"| `--{name.replace('_', '-')}` | {_shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def fault_rows() -> list[str]:
    """Return a row for each kind of fault: its name, its own fields with their defaults, what happens, an example."""
    rows = []
    for kind in KINDS:
        fields = (f"`{name}`{f' ({default})' if default else ''}" for name, default in own_fields(kind).items())
        rows.append(f"| `{kind}` | {', '.join(fields)} | {meaning(kind)} | `{example(kind)}` |")
    return rows


def common_field_rows() -> list[str]:
    """Return a row for each field that all kinds have."""
    return [f"| `{name}` | {use} |" for name, use in common_fields().items()]


def _shown_default(name: str) -> str:
    """Write a default; the data folder is different for each user."""
    default = "" if name == "data_dir" else default_text(name)
    return f"`{default}`" if default else ""
