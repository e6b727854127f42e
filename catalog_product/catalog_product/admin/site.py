"""The one admin site of the service."""

from chassis.django.admin import ServiceAdminSite

site = ServiceAdminSite(name="admin")
