"""Objects of the OpenAPI document say what they are: docstring and `EXAMPLE` of their class."""

import inspect
from typing import TYPE_CHECKING

from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition
from msgspec import Struct

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator


class ObjectWords(OpenAPISchemaPlugin):
    """Leaves a struct's schema to Litestar's own plugin, and describes it."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of(Struct)

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: "SchemaCreator"
    ) -> Schema:
        plain = next(
            plugin
            for plugin in schema_creator.plugins
            if isinstance(plugin, OpenAPISchemaPlugin)
            and plugin is not self
            and plugin.is_plugin_supported_field(field_definition)
        )
        schema: Schema = plain.to_openapi_schema(field_definition, schema_creator)
        schema.description = inspect.getdoc(field_definition.annotation)
        example = getattr(field_definition.annotation, "EXAMPLE", None)
        if example is not None:
            schema.examples = [example]
        return schema
