from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils.crypto import salted_hmac

AT_ONCE = 5_000


def trace_contacts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill in the traces of the addresses that are there, as `alerts.addresses.traces` makes them."""
    contacts = apps.get_model("alerts", "Contact").objects
    last = 0
    while some := list(contacts.filter(pk__gt=last, address_trace="").order_by("pk")[:AT_ONCE]):
        traces = [
            salted_hmac("alerts.addresses.traces", contact.address.lower(), algorithm="sha256").hexdigest()
            for contact in some
        ]
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE alerts_contact contact SET address_trace = traced.trace"
                " FROM unnest(%s::bigint[], %s::text[]) traced (id, trace) WHERE contact.id = traced.id",
                [[contact.pk for contact in some], traces],
            )
        last = some[-1].pk


class Migration(migrations.Migration):
    """By the trace of its address a contact is found when a provider reports of it; a report that cannot be matched
    waits behind the others; and an unknown outcome whose words have changed says so."""

    dependencies = [("alerts", "0011_desk")]

    operations = [
        migrations.AddField(
            "contact",
            "address_trace",
            models.CharField(
                "hash of the address", max_length=64, blank=True, default="", db_default="", editable=False
            ),
        ),
        migrations.AddIndex("contact", models.Index(fields=["address_trace", "channel"], name="contact_traced")),
        migrations.AddField("providerevent", "failed_at", models.DateTimeField("could not be matched", null=True)),
        migrations.AddIndex(
            "providerevent",
            models.Index(fields=["our_key"], condition=models.Q(("matched_at", None)), name="event_of_unmatched_key"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="why",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", ""),
                    ("redeemed", "the points are gone"),
                    ("no_contact", "no usable address"),
                    ("few_points", "fewer points than the rule asks for"),
                    ("no_rule", "the reminder rule was removed"),
                    ("moved", "the date was moved"),
                    ("untold", "too late to tell: the date will be moved"),
                    ("too_early", "too early for a notice that counts"),
                    ("closed", "the account is closed"),
                    ("nearer", "a nearer reminder is due"),
                    ("expired", "the points expired before"),
                    ("refused", "refused for good"),
                    ("exhausted", "tried too often"),
                    ("opted_out", "the member wants no such messages"),
                    ("suppressed", "the address is suppressed"),
                    ("stopped", "stopped by a person"),
                    ("no_words", "the text cannot be written on this channel"),
                    ("mixed", "points that this channel may not speak of"),
                    ("changed", "other words or another address by now"),
                    ("person", "waits for a person"),
                ],
                default="",
                max_length=20,
                verbose_name="reason",
            ),
        ),
        migrations.RunPython(trace_contacts, migrations.RunPython.noop),
    ]
