"""The language of the templates: the listed variables, `if`, and the form of a date. No database, no clock.

It is Django's own, with an engine that has no loaders, no tags but `if` and no filter but `date`. What a template uses
is found by walking its nodes when it is entered: an unknown variable, tag or filter, an attribute, a translation or
whatever else could reach beyond the variables is refused there, with the field and the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar

from django.template import Context, Engine, Library, TemplateSyntaxError
from django.template.base import FilterExpression, Lexer, Node, Template, TextNode, TokenType, VariableNode
from django.template.defaultfilters import date as date_filter
from django.template.defaulttags import IfNode, do_if
from django.utils import translation
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _

from alerts.errors import BadInput

VARIABLES = ("points", "unit", "last_day", "last_time", "days_left", "programme", "link", "name")
TAGS = ("if", "elif", "else", "endif")
FILTERS = ("date",)
# Not of every member known, nor always writable in an SMS: a template says what stands there without them.
OPTIONAL = frozenset({"name", "last_time"})
# Far above any honest template, and far below what nesting or repeating could do to the worker that reads it.
LONGEST, LONGEST_TAG, MOST_TAGS = 60_000, 200, 100
A_DAY = date(2026, 3, 31)

_UNKNOWN_FILTER = re.compile(r"Invalid filter: '(.+?)'")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


class _Sandbox(Engine):
    """An engine that knows this module's tags and filters, and loads nothing."""

    default_builtins: ClassVar[list[str]] = []

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(loaders=[], autoescape=autoescape)
        library = Library()
        library.tag("if", do_if)
        library.filter("date", date_filter)
        self.template_builtins = [library]


_PLAIN, _HTML = _Sandbox(autoescape=False), _Sandbox(autoescape=True)


@dataclass(frozen=True, slots=True)
class Wording:
    """A template that may be used; `uses` names its variables."""

    template: Template
    uses: frozenset[str]

    def write(self, variables: Mapping[str, object], *, language: str) -> str:
        """The words with these values, all of VARIABLES; numbers and dates as the language writes them."""
        with translation.override(language):
            context = Context(dict(variables), autoescape=self.template.engine.autoescape)
            return str(self.template.render(context))


@lru_cache(maxsize=512)
def read(source: str, *, html: bool = False, field: str = "text") -> Wording:
    """A template, checked. `html`: values are escaped. Raises BadInput with the field and what is not known in it."""
    _look_at_the_tags(source, field)
    engine = _HTML if html else _PLAIN
    try:
        template = Template(source, engine=engine)
    except TemplateSyntaxError as error:
        unknown = _UNKNOWN_FILTER.match(str(error))
        if unknown:
            raise _refused(_("“%(name)s” is no filter that templates know."), unknown[1], field) from error
        raise _refused(_("The template cannot be read: %(name)s"), str(error), field) from error
    uses: set[str] = set()
    for name, certain in _names(template.nodelist, frozenset(), field):
        if name in OPTIONAL and not certain:
            message = _("“%(name)s” is not always there: write it between {%% if %(name)s %%} and {%% endif %%}.")
            raise _refused(message, name, field)
        uses.add(name)
    return Wording(template, frozenset(uses))


def _refused(message: str, name: str, field: str) -> BadInput:
    return BadInput(message % {"name": name}, field=field)


def _look_at_the_tags(source: str, field: str) -> None:
    """What must be refused before anything of it is compiled."""
    if len(source) > LONGEST:
        raise _refused(_("A template has at most %(name)s characters."), str(LONGEST), field)
    if control := _CONTROL.search(source.replace("\r\n", "\n")):
        raise _refused(_("The character %(name)s does not belong in a template."), f"U+{ord(control[0]):04X}", field)
    tags = [token for token in Lexer(source).tokenize() if token.token_type in (TokenType.BLOCK, TokenType.VAR)]
    if len(tags) > MOST_TAGS:
        raise _refused(_("A template has at most %(name)s tags and variables."), str(MOST_TAGS), field)
    for token in tags:
        if len(token.contents) > LONGEST_TAG:
            raise _refused(_("A tag has at most %(name)s characters."), str(LONGEST_TAG), field)
        name = (token.contents.split() or [""])[0]
        if token.token_type == TokenType.BLOCK and name not in TAGS:
            raise _refused(_("“%(name)s” is no tag that templates know."), name, field)


def _names(nodes: Any, there: frozenset[str], field: str) -> Iterator[tuple[str, bool]]:
    """Each variable that is used, and whether it is certain to be there: it always is, it is asked for, or `there`."""
    for node in nodes:
        if isinstance(node, VariableNode):
            for name in _named(node.filter_expression, field):
                yield name, name not in OPTIONAL or name in there
        elif isinstance(node, IfNode):
            for condition, inside in node.conditions_nodelists:
                asked = frozenset(_asked_for(condition, field))
                yield from ((name, True) for name in asked)
                yield from _names(inside, there | (_certain(condition) & OPTIONAL), field)
        elif not isinstance(node, TextNode):
            raise _refused(_("“%(name)s” is no tag that templates know."), _kind(node), field)


def _kind(node: Node) -> str:
    return type(node).__name__


def _asked_for(condition: Any, field: str) -> Iterator[str]:
    """The variables of a condition: a tree of operators, whose leaves hold an expression. None: `else`."""
    if condition is None:
        return
    value = getattr(condition, "value", None)
    if isinstance(value, FilterExpression):
        yield from _named(value, field)
        return
    for side in ("first", "second"):
        yield from _asked_for(getattr(condition, side, None), field)


def _certain(condition: Any) -> frozenset[str]:
    """What is there wherever the condition holds: `name`, or the sides of an `and`."""
    value = getattr(condition, "value", None)
    if isinstance(value, FilterExpression):
        return frozenset({str(value.var)})
    if getattr(condition, "id", "") == "and":
        return _certain(condition.first) | _certain(condition.second)
    return frozenset()


def _named(expression: FilterExpression, field: str) -> Iterator[str]:
    """The variable of an expression, after everything else in it was found harmless."""
    variable = expression.var
    name = str(variable)
    if "_(" in expression.token:  # Django's way to look a text up in the catalogues of the whole project
        raise _refused(_("“%(name)s” is no variable that templates know."), expression.token, field)
    if expression.is_var:
        lookups = getattr(variable, "lookups", None)
        if lookups is not None:
            if lookups[0] not in VARIABLES:
                raise _refused(_("“%(name)s” is no variable that templates know."), name, field)
            if len(lookups) > 1:
                raise _refused(_("“%(name)s”: a variable has no parts."), name, field)
            yield name
    for _function, arguments in expression.filters:
        _look_at_the_date(name, arguments, field)


def _look_at_the_date(name: str, arguments: list[tuple[bool, Any]], field: str) -> None:
    """`date` is for the last day, in a form that is written out and that a date has."""
    if name != "last_day":
        raise _refused(_("“date” is for last_day, not for %(name)s."), name, field)
    if len(arguments) != 1 or arguments[0][0]:  # (True, …) is a variable
        raise _refused(_('“%(name)s” needs a form in quotation marks, for example last_day|date:"Y".'), "date", field)
    try:
        formatted(A_DAY, str(arguments[0][1]))
    except (TypeError, AttributeError, ValueError) as error:  # the form asks for a time
        raise _refused(_("“%(name)s” is no form of a date."), str(arguments[0][1]), field) from error
