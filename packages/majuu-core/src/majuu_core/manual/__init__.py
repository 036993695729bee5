"""Payments that people see: bank transfers and cash, as the provider "manual". Free of Django."""
