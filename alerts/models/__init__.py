"""The tables of the alerting line."""

from alerts.models.consent import Consent, Suppression, Verification
from alerts.models.contact import Contact
from alerts.models.delivery import Attempt, Delivery
from alerts.models.event import ProviderEvent, SideMessage
from alerts.models.extension_rule import ExtensionRule
from alerts.models.reminder import Reminder
from alerts.models.rule import ReminderRule
from alerts.models.telling import Holiday, Override, PlanHold, TellingRules
from alerts.models.template import Template, TemplateVersion
from alerts.models.transport import SandboxMessage, Stop, Tick, Transport

__all__ = [
    "Attempt",
    "Consent",
    "Contact",
    "Delivery",
    "ExtensionRule",
    "Holiday",
    "Override",
    "PlanHold",
    "ProviderEvent",
    "Reminder",
    "ReminderRule",
    "SandboxMessage",
    "SideMessage",
    "Stop",
    "Suppression",
    "TellingRules",
    "Template",
    "TemplateVersion",
    "Tick",
    "Transport",
    "Verification",
]
