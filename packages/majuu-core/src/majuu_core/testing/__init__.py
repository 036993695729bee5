"""Public helpers for tests of providers and plugins, and the provider behind the "mock" payment method.

Importing this package needs neither pytest nor Django settings.
"""

from majuu_core.testing.fake import FakeProvider, MockCredentials
from majuu_core.testing.memory import MemoryCache, provider_context

__all__ = ["FakeProvider", "MemoryCache", "MockCredentials", "provider_context"]
