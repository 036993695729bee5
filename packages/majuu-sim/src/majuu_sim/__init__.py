"""Simulated payment providers with fault injection, for tests and demonstrations."""

__version__ = "0.1.0"
