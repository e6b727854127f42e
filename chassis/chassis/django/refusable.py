"""Forms that an operation may refuse: shown again as they were typed, with the reason."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from chassis.preconditions import Expected
from chassis.problems import DomainError


class RefusableForm(forms.ModelForm):  # type: ignore[type-arg]
    """Says what an operation has refused beside the fields, so that nothing typed is lost."""

    refusal: ClassVar[DomainError | None] = None
    # Members of the API whose fields have other names; what has no field is said above them all.
    shown_at: ClassVar[Mapping[str, str]] = {}

    def clean(self) -> dict[str, Any]:
        cleaned = cast(dict[str, Any], super().clean())
        if self.refusal is not None:
            self._say(self.refusal)
        return cleaned

    def _say(self, refusal: DomainError) -> None:
        title = refusal.document("")["title"]
        self.add_error(None, f"{title}. {refusal.detail}".strip())
        for error in refusal.errors:
            member = error.pointer.split("/")[1]
            field = self.shown_at.get(member, member)
            self.add_error(field if field in self.fields else None, error.detail)


class RefusableAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Shows a form that an operation has refused as it was typed, and says why a delete was refused."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Django's, without its transaction around the whole view."""
        view: Any = super()
        show = partial(view._changeform_view, request, object_id, form_url, extra_context)
        try:
            with self.saving():
                return show()
        except DomainError as exc:
            request.refusal = exc  # type: ignore[attr-defined]
            return show()

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().delete_view(request, *args, **kwargs)
        except DomainError as exc:
            problem = exc.document("")
            self.message_user(request, f"{problem['title']}. {exc.detail}", messages.ERROR)
            return HttpResponseRedirect(request.path)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address presets, without keys that no row can have: Django would ask for them."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if self._could_be(name, value)}

    def saving(self) -> AbstractContextManager[Any]:
        """No transaction but the operation's: services are asked and keys are claimed outside of any."""
        return nullcontext()

    def _could_be(self, name: str, value: Any) -> bool:
        try:
            for field in self.opts.fields:
                if field.name == name:
                    field.to_python(value)
        except forms.ValidationError:
            return False
        return True

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A class made for this request, which knows what was refused."""
        form: Any = super().get_form(request, *args, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form


class VersionedForm(RefusableForm):
    """Carries the version that was shown, so that nobody undoes what somebody else has saved meanwhile."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen"].initial = self.version()

    def version(self) -> int:
        """That of what is changed."""
        return cast(int, self.instance.version)

    def expected(self) -> Expected:
        """What the operation compares with."""
        return Expected(frozenset({self.cleaned_data["seen"] or 0}))
