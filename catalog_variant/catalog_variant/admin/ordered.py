"""Forms of rows that stand in an order."""

from typing import Any

from django import forms

from chassis.django.refusable import VersionedForm


class OrderedForm(VersionedForm):
    """Puts a row where it is told, or at the end."""

    position = forms.IntegerField(required=False, min_value=0, max_value=10**6, help_text="Last when empty.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.fields["position"].initial = None
