"""Rules of scripted answers in files, and pictures as they are sent: for the server and its clients alike."""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runware_mock.values import is_file_path

_KINDS = (".json", ".yaml", ".yml")
_LONGEST_PATH = 1000


class BadRules(Exception):
    """A file has no rules that could be used; the message names the file and the field."""


class FoundRule(NamedTuple):
    """A rule as JSON has it, with its pictures; `where` is the name of its file and its place there."""

    where: str
    rule: dict[str, Any]


def read_rules(path: Path) -> list[FoundRule]:
    """Return the rules of a file, or of all files of a folder and below, in the order of their names.

    A file holds a rule, a list of rules, or `rules: [...]`. The pictures that they name are files beside it. Raises
    BadRules.
    """
    if not path.is_dir():
        return list(_rules_of(path, path.name))
    files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in _KINDS and file.is_file()]
    names = {file: file.relative_to(path).as_posix() for file in files}
    found = [rule for file, name in names.items() if not name.startswith(".") for rule in _rules_of(file, name)]
    if not found:
        raise BadRules(f"{path}: there are no rules: put .yaml or .json files there")
    return found


def _rules_of(file: Path, name: str) -> Iterator[FoundRule]:
    try:
        document = _document(file)
    except OSError as error:
        raise BadRules(f"{file}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise BadRules(f"{file}: {' '.join(str(error).split())}") from None
    rules = document.get("rules", [document]) if isinstance(document, dict) else document
    if not isinstance(rules, list) or not rules:
        raise BadRules(f"{file}: a file holds a rule, a list of rules, or `rules:` with a list")
    for index, rule in enumerate(rules):
        where = name if rules == [document] else f"{name}[{index}]"
        if not isinstance(rule, dict):
            raise BadRules(f"{where}: a rule is a mapping with `give:`")
        try:
            yield FoundRule(where, with_pictures(rule, file.parent))
        except BadRules as error:
            raise BadRules(f"{where}: {error}") from None


def _document(file: Path) -> Any:
    """Return what a file holds; raises ValueError for what is not JSON in either notation."""
    text = file.read_text(encoding="utf-8")
    if file.suffix.lower() == ".json":
        return json.loads(text)
    # Only who has such files waits for this.
    import yaml  # type: ignore[import-untyped] # it ships no types

    try:
        # Aliases may have made it endless, and YAML has dates and other types that JSON has not.
        return json.loads(json.dumps(yaml.safe_load(text)))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(str(error)) from None


def with_pictures(rule: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a rule with the pictures that are files in it, by a path or relative to a folder; raises BadRules."""
    give = rule.get("give")
    steps = [give] if isinstance(give, dict) else give
    if not isinstance(steps, list):
        return dict(rule)
    return {**rule, "give": [_with_picture(step, index, folder) for index, step in enumerate(steps)]}


def _with_picture(step: Any, index: int, folder: Path) -> Any:
    if not isinstance(step, dict) or step.get("picture") is None:
        return step
    try:
        return {**step, "picture": sent_picture(step["picture"], folder)}
    except OSError as error:
        raise BadRules(f"give[{index}].picture: {error}") from None


def sent_picture(picture: Any, folder: Path = Path()) -> Any:
    """Return a picture as a string: the content of a file, of bytes or of a PIL image; anything else as it is.

    Raises OSError, with a message for users, for a file that cannot be read.
    """
    if isinstance(picture, Path) or (
        isinstance(picture, str)
        and len(picture) <= _LONGEST_PATH
        and (_is_file(folder / picture) or is_file_path(picture))
    ):
        picture = _content(picture, folder)
    if hasattr(picture, "save"):
        out = io.BytesIO()
        picture.save(out, "PNG")
        picture = out.getvalue()
    return base64.b64encode(picture).decode() if isinstance(picture, bytes) else picture


def _content(file: str | Path, folder: Path) -> bytes:
    try:
        return (folder / file).read_bytes()
    except (FileNotFoundError, ValueError):
        there = "" if Path(file).is_absolute() else f" in {folder.absolute()}"
        raise FileNotFoundError(f"there is no file {str(file)!r}{there}") from None
    except OSError as error:
        raise OSError(f"the file {str(file)!r} cannot be read: {error.strerror or error}") from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
