"""The tables of the documentation that come from the code."""

from runware_mock.settings import Settings, default_text


def settings_rows() -> list[str]:
    """Return a row for each flag of `serve`."""
    return [
        f"| `--{name.replace('_', '-')}` | {_shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def _shown_default(name: str) -> str:
    """Write a default; the data folder is different for each user."""
    default = "" if name == "data_dir" else default_text(name)
    return f"`{default}`" if default else ""
