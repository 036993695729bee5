"""Pesapal payments for Majuu."""

__version__ = "0.1.0"
