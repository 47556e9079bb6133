"""`{{ 1234|points:programme.unit }}` and its like: how templates write points and times."""

from django import template

from portal import words

register = template.Library()
register.filter("points", words.points)
register.filter("signed_points", words.signed_points)
register.filter("moment", words.moment)
