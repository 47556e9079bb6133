"""What stood in a message, from the values that are kept of it, for people: the text itself is kept for a time only.

Pure but for the language.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.formats import localize
from django.utils.translation import gettext as _

# Says how a message was written, and who may send it in another way, not what it said.
QUIET = frozenset({"korean_number", "falls_back"})
FIRST = ("programme", "points", "last_day", "days_left", "link")  # as they are stored they have no order


def readable(variables: Mapping[str, object]) -> list[str]:
    """One short text for each value, in the reader's language. What was empty said nothing, and is left out."""
    names = [name for name in FIRST if name in variables] + sorted(variables.keys() - set(FIRST) - QUIET)
    said = {name: variables[name] for name in names if variables[name] not in (None, "")}
    if "points" in said:
        said["points"] = f"{localize(said['points'])}{said.pop('unit', '')}"
    if "last_day" in said and "last_time" in said:
        said["last_day"] = f"{said['last_day']} {str(said.pop('last_time'))[:5]}"
    return [_readable(name, value) for name, value in said.items()]


def _readable(name: str, value: object) -> str:
    match name:
        case "link":
            return str(value)
        case "days_left":
            return _("%(days)d days before") % {"days": value}
        case "points":
            name = _("points")
        case "programme":
            name = _("programme")
        case "last_day":
            name = _("last day")
    return f"{name}: {value}"
