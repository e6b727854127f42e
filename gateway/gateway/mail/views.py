"""The mail that was written in development, to read in the browser."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from gateway.mail.box import Box


def _in_development(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, **found: str) -> HttpResponse:
        if not settings.IS_DEVELOPMENT:
            raise Http404
        return view(request, **found)

    return guarded


@_in_development
def mail(request: HttpRequest) -> HttpResponse:
    return render(request, "mail/list.html", {"messages_kept": Box(settings.MAIL_DIRECTORY).messages()})


@_in_development
def mail_message(request: HttpRequest, id: str) -> HttpResponse:
    message = Box(settings.MAIL_DIRECTORY).get(id)
    if message is None:
        raise Http404
    return render(request, "mail/message.html", {"message": message})
