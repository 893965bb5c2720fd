"""What is checked on built-in kinds beyond their schema: the parts that a mistake would otherwise hide in."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from c8s.local.apiserver.errors import Cause, invalid
from c8s.local.apiserver.quotas import find_unsupported
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.validation_rules import find_bad_rules

Object = dict[str, Any]

_CONTENT_LIMIT_BYTES = 1024 * 1024
_JOB_MUTABLE_POD_FIELDS = ("nodeSelector", "tolerations", "schedulingGates", "affinity")


def check_built_in(resource_type: ResourceType, item: Object, old: Object | None) -> None:
    """Raise a 422 that names every wrong field."""
    causes = []
    if resource_type.kind == "Job":
        causes = _job_causes(item, old)
    elif resource_type.kind == "Pod":
        causes = (
            _pod_spec_causes(item.get("spec") or {}, "spec") if old is None else _pod_change_causes(item, old)
        )
    elif resource_type.kind in ("Secret", "ConfigMap"):
        causes = _content_causes(resource_type.kind, item, old)
    elif resource_type.kind == "ResourceQuota":
        causes = find_unsupported(item)
    if causes:
        raise invalid(resource_type, item["metadata"]["name"], causes)


def check_shape(resource_type: ResourceType, item: Object) -> None:
    """What must be there before defaults can be filled in: a 422 instead of a crash on a malformed object."""
    causes = []
    if resource_type.kind == "CustomResourceDefinition":
        causes = _definition_causes(item)
    if resource_type.kind in ("RoleBinding", "ClusterRoleBinding"):
        reference = item.get("roleRef")
        if not (isinstance(reference, dict) and reference.get("name") and reference.get("kind")):
            causes = [_required("roleRef.name")]
    if causes:
        raise invalid(resource_type, item["metadata"].get("name", ""), causes)


def _required(field: str) -> Cause:
    return Cause(field, "Required value", "FieldValueRequired")


def _pod_spec_causes(spec: Object, path: str) -> list[Cause]:
    if not spec.get("containers"):
        return [_required(f"{path}.containers")]
    causes = []
    seen: set[str] = set()
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            at = f"{path}.{kind}[{index}]"
            name = container.get("name")
            causes += [_required(f"{at}.{key}") for key in ("name", "image") if not container.get(key)]
            if name in seen:
                causes.append(Cause(f"{at}.name", f'Duplicate value: "{name}"', "FieldValueDuplicate"))
            seen.add(name)
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            for position, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    at = f"{path}.{kind}[{index}].volumeMounts[{position}].name"
                    causes.append(Cause(at, f'Not found: "{mount.get("name")}"', "FieldValueNotFound"))
    return causes


def _pod_change_causes(pod: Object, old: Object) -> list[Cause]:
    """A pod's spec is fixed, but for images, tolerations, deadlines, and the node it gets once."""
    changed = _without(pod["spec"], old["spec"])
    if changed == _without(old["spec"], old["spec"]):
        return []
    message = (
        "Forbidden: pod updates may not change fields other than "
        "`spec.containers[*].image`,`spec.tolerations`"
    )
    return [Cause("spec", message, "FieldValueForbidden")]


def _without(spec: Object, old_spec: Object) -> Object:
    free = {"tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "schedulingGates"}
    if not old_spec.get("nodeName"):
        free.add("nodeName")
    kept = {key: value for key, value in spec.items() if key not in free}
    for kind in ("initContainers", "containers"):
        containers = kept.get(kind) or ()
        kept[kind] = [{key: value for key, value in one.items() if key != "image"} for one in containers]
    return kept


def _job_causes(job: Object, old: Object | None) -> list[Cause]:
    template = job["spec"]["template"]
    causes = _pod_spec_causes(template["spec"], "spec.template.spec")
    if template["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
        value = template["spec"].get("restartPolicy")
        message = f'Unsupported value: "{value}": supported values: "OnFailure", "Never"'
        causes.append(Cause("spec.template.spec.restartPolicy", message, "FieldValueNotSupported"))
    if job["spec"].get("completionMode") == "Indexed" and job["spec"].get("completions") is None:
        message = "Required value: when completion mode is Indexed"
        causes.append(Cause("spec.completions", message, "FieldValueRequired"))
    if old is None:
        return causes
    for field in ("selector", "completionMode", "podFailurePolicy", "completions"):
        if job["spec"].get(field) != old["spec"].get(field):
            causes.append(Cause(f"spec.{field}", "Invalid value: field is immutable"))
    if job["spec"]["template"] != old["spec"]["template"] and not _is_suspended_change(job, old):
        causes.append(Cause("spec.template", "Invalid value: field is immutable"))
    return causes


def _is_suspended_change(job: Object, old: Object) -> bool:
    """While suspended and not started, a Job's scheduling directives may change (KEP-2926)."""
    if not old["spec"].get("suspend") or old.get("status", {}).get("startTime"):
        return False
    new_spec, old_spec = job["spec"]["template"]["spec"], old["spec"]["template"]["spec"]
    return all(
        new_spec.get(key) == old_spec.get(key)
        for key in {*new_spec, *old_spec} - set(_JOB_MUTABLE_POD_FIELDS)
    )


def _content_causes(kind: str, item: Object, old: Object | None) -> list[Cause]:
    causes = []
    size = 0
    for section in ("data", "binaryData"):
        for key, value in (item.get(section) or {}).items():
            if not isinstance(value, str):
                causes.append(
                    Cause(f"{section}[{key}]", "Invalid value: must be a string", "FieldValueTypeInvalid")
                )
                continue
            size += len(value)
            if (kind == "Secret" or section == "binaryData") and not _is_base64(value):
                causes.append(Cause(f"{section}[{key}]", "Invalid value: must be base64"))
    if size > _CONTENT_LIMIT_BYTES:
        causes.append(
            Cause("data", f"Too long: may not be more than {_CONTENT_LIMIT_BYTES} bytes", "FieldValueTooLong")
        )
    if old is not None and kind == "Secret" and item.get("type") != old.get("type"):
        causes.append(Cause("type", "Invalid value: field is immutable"))
    if (
        old is not None
        and old.get("immutable")
        and any(item.get(key) != old.get(key) for key in ("data", "binaryData"))
    ):
        causes.append(
            Cause("data", "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden")
        )
    return causes


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _definition_causes(definition: Object) -> list[Cause]:
    spec = definition.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return [_required("spec.names")]
    causes = [_required(f"spec.{key}") for key in ("group", "scope", "versions") if not spec.get(key)]
    causes += [_required(f"spec.names.{key}") for key in ("plural", "kind") if not names.get(key)]
    if causes:
        return causes
    expected = f"{names['plural']}.{spec['group']}"
    if definition["metadata"].get("name") != expected:
        causes.append(
            Cause("metadata.name", f'Invalid value: must be spec.names.plural+"."+spec.group ({expected})')
        )
    if sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        causes.append(
            Cause("spec.versions", "Invalid value: must have exactly one version marked as storage version")
        )
    for index, version in enumerate(spec["versions"]):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            causes.append(_required(f"spec.versions[{index}].schema.openAPIV3Schema"))
        else:
            causes += find_bad_rules(version["schema"]["openAPIV3Schema"])
    return causes
