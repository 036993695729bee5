"""Addresses for customers: include at the root, so that they read /pay/…"""

from __future__ import annotations

from django.urls import path

from majuu_core.checkout import views

app_name = "majuu_checkout"
urlpatterns = [
    path("pay/<slug:token>", views.page, name="page"),
    path("pay/<slug:token>/continue", views.proceed, name="proceed"),
    path("pay/<slug:token>/return", views.come_back, name="return"),
    path("pay/<slug:token>/canceled", views.come_back, {"gave_up": True}, name="canceled"),
    path("pay/<slug:token>/state", views.state, name="state"),
]
