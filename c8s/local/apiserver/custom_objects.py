"""Custom resources on their way in: pruned, defaulted, validated against their definition's schema and
rules."""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.builtin_schemas import undecodable
from c8s.local.apiserver.errors import invalid
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.structural import fill_defaults, find_causes, prune
from c8s.local.apiserver.validation_rules import find_broken_rules

Object = dict[str, Any]

_META_KEYS = ("apiVersion", "kind", "metadata")
_CAUSES_LIMIT = 50


def admit_custom(
    resource_type: ResourceType, item: Object, old: Object | None, options: WriteOptions
) -> Object:
    """The object as it may be stored. Unknown fields go (a 400 when `Strict`); what is wrong is a 422."""
    schema = resource_type.schema or {}
    dropped: list[str] = []
    content = prune(_content_of(item), schema, "", dropped)
    _report_dropped(resource_type, dropped, options)
    fill_defaults(content, schema)
    admitted: Object = {key: item[key] for key in _META_KEYS} | content
    causes = list(find_causes(content, _without_meta_required(schema), ""))[:_CAUSES_LIMIT]
    if not causes:
        # Rules assume a well-formed value, so they come second.
        causes = list(find_broken_rules(admitted, old, schema))
    if causes:
        raise invalid(resource_type, item["metadata"].get("name", ""), causes)
    return admitted


def _content_of(item: Object) -> Object:
    return {key: value for key, value in item.items() if key not in _META_KEYS}


def _without_meta_required(schema: Object) -> Object:
    """`required` at the root may name metadata, which is checked elsewhere."""
    required = [key for key in schema.get("required") or () if key not in _META_KEYS]
    return {**schema, "required": required}


def _report_dropped(resource_type: ResourceType, dropped: list[str], options: WriteOptions) -> None:
    problems = [f'unknown field "{path}"' for path in dropped]
    if problems and options.field_validation == "Strict":
        raise undecodable(resource_type, problems)
    if options.field_validation == "Warn":
        options.warnings.extend(problems)
