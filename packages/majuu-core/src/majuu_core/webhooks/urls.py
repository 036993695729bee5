"""Addresses for providers: include at the root, so that they read /in/…/… or /in/…/…/<topic>."""

from __future__ import annotations

from django.urls import re_path

from majuu_core.webhooks.views import receive

urlpatterns = [
    re_path(
        r"^in/(?P<subject>[paori][0-9a-z]{26})/(?P<secret>[0-9a-z]{32})(?:/(?P<topic>[a-z]{1,16}))?/?$",
        receive,
        name="majuu_inbound",
    )
]
