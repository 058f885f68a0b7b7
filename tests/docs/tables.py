"""The tables of the documentation that come from the code."""

from runware_mock.faults.kinds import KINDS, DescribedField, common_fields, example, meaning, own_fields
from runware_mock.settings import Settings, default_text


def settings_rows() -> list[str]:
    """Return a row for each flag of `serve`."""
    return [
        f"| `--{name.replace('_', '-')}` | {_shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def fault_rows() -> list[str]:
    """Return a row for each kind of fault: its name, its own fields with their notes, what happens, an example."""
    rows = []
    for kind in KINDS:
        fields = (_field(name, one) for name, one in own_fields(kind).items())
        rows.append(f"| `{kind}` | {', '.join(fields)} | {meaning(kind)} | `{example(kind)}` |")
    return rows


def own_field_rows() -> list[str]:
    """Return a row for each meaning of a field that not all kinds have."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for kind in KINDS:
        for name, one in own_fields(kind).items():
            kinds.setdefault((name, one.meaning), []).append(f"`{kind}`")
    return [f"| `{name}` | {', '.join(of)} | {text} |" for (name, text), of in sorted(kinds.items())]


def common_field_rows() -> list[str]:
    """Return a row for each field that all kinds have."""
    return [f"| {_field(name, one)} | {one.meaning} |" for name, one in common_fields().items()]


def _field(name: str, one: DescribedField) -> str:
    return f"`{name}`{f' ({one.note})' if one.note else ''}"


def _shown_default(name: str) -> str:
    """Write a default; the data folder is different for each user."""
    default = "" if name == "data_dir" else default_text(name)
    return f"`{default}`" if default else ""
