"""Saving a row of settings with its own rules checked, as the admin's forms do."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from alerts.errors import BadInput


def save_checked(row: models.Model) -> None:
    """Save the row if it keeps its own rules. Raises BadInput naming the first field at fault and its rule."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(" ".join(messages), field=field) from error
    row.save()
