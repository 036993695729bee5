"""Public ids on models: the primary key is a UUIDv7, the outside sees a prefix and 26 characters."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from majuu_core.common import ids


class PublicIdMixin:
    """Gives a model with a UUID primary key its public id. Not a model itself."""

    id_prefix: ClassVar[str]
    pk: uuid.UUID

    @property
    def public_id(self) -> str:
        return ids.encode_id(self.id_prefix, self.pk)

    @classmethod
    def uuid_of(cls: type[Self], public_id: str) -> uuid.UUID:
        """The primary key inside a public id. Raises ValueError when it is not one of this kind."""
        return ids.decode_id(cls.id_prefix, public_id)
