"""Model instances out of plain SQL, for the few statements that run at every keystroke.

The ORM takes several times longer to write such a statement than PostgreSQL to answer it; what it knows about columns
and their conversion is used all the same.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """A model's columns in a statement: `sql` selects them under an alias, `read` makes an instance of their values.

    Fields left out are deferred, as after QuerySet.defer().
    """

    def __init__(self, model: type[M], alias: str, *, leave_out: Sequence[str] = (), only: Sequence[str] = ()) -> None:
        fields = [
            field
            for field in model._meta.concrete_fields
            if field.attname not in leave_out and (not only or field.attname in only)
        ]
        self.model = model
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in fields)
        self.converters = [
            (place, convert)
            for place, field in enumerate(fields)
            if (convert := getattr(field, "from_db_value", None)) is not None
        ]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, values: Sequence[Any]) -> M:
        """The instance of this part of a row."""
        row = list(values)
        for place, convert in self.converters:
            row[place] = convert(row[place], None, connection)
        return self.model.from_db(connection.alias, self.names, row)
