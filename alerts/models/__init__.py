"""The tables of the alerting line."""

from alerts.models.contact import Contact
from alerts.models.delivery import Attempt, Delivery
from alerts.models.extension_rule import ExtensionRule
from alerts.models.reminder import Reminder
from alerts.models.rule import ReminderRule

__all__ = ["Attempt", "Contact", "Delivery", "ExtensionRule", "Reminder", "ReminderRule"]
