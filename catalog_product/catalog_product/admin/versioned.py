"""What the admins of brands and products have in common."""

from typing import Any

from chassis.django.refusable import RefusableAdmin, VersionedForm


class MembersForm(VersionedForm):
    """Hands an operation what it takes."""

    def values(self) -> dict[str, Any]:
        """The members of the form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


class VersionedAdmin(RefusableAdmin):
    show_full_result_count = False
    actions = None

    def save_through(self, obj: Any, saved: Any) -> None:
        """The log entry and the page that follows speak of what was saved."""
        obj.pk, obj.public_id, obj.version = saved.pk, saved.public_id, saved.version
