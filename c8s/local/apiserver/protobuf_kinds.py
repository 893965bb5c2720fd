"""Field numbers of the kinds that `protobuf.py` decodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its JSON name; `kind` is string, int, bool, bytes (base64 in JSON) or quantity."""

    name: str
    kind: str = "string"
    message: Message | None = None
    is_list: bool = False
    is_map: bool = False


Message = dict[int, Field]


def _string(name: str) -> Field:
    return Field(name)


def _bool(name: str) -> Field:
    return Field(name, "bool")


def _int(name: str) -> Field:
    return Field(name, "int")


def _strings(name: str) -> Field:
    return Field(name, is_list=True)


def _map(name: str, kind: str = "string") -> Field:
    return Field(name, kind, is_map=True)


def _message(name: str, message: Message) -> Field:
    return Field(name, message=message)


def _messages(name: str, message: Message) -> Field:
    return Field(name, message=message, is_list=True)


_OWNER: Message = {
    1: _string("kind"),
    3: _string("name"),
    4: _string("uid"),
    5: _string("apiVersion"),
    6: _bool("controller"),
    7: _bool("blockOwnerDeletion"),
}
_METADATA: Message = {
    1: _string("name"),
    2: _string("generateName"),
    3: _string("namespace"),
    5: _string("uid"),
    6: _string("resourceVersion"),
    11: _map("labels"),
    12: _map("annotations"),
    13: _messages("ownerReferences", _OWNER),
    14: _strings("finalizers"),
}
_META = _message("metadata", _METADATA)
_ENV: Message = {1: _string("name"), 2: _string("value")}
_CONTAINER: Message = {
    1: _string("name"),
    2: _string("image"),
    3: _strings("command"),
    4: _strings("args"),
    5: _string("workingDir"),
    7: _messages("env", _ENV),
    14: _string("imagePullPolicy"),
}
_POD_SPEC: Message = {
    2: _messages("containers", _CONTAINER),
    3: _string("restartPolicy"),
    8: _string("serviceAccountName"),
}
_JOB_SPEC: Message = {
    1: _int("parallelism"),
    2: _int("completions"),
    3: _int("activeDeadlineSeconds"),
    6: _message("template", {1: _META, 2: _message("spec", _POD_SPEC)}),
    7: _int("backoffLimit"),
    8: _int("ttlSecondsAfterFinished"),
}
_RESOURCE_ATTRIBUTES: Message = {
    1: _string("namespace"),
    2: _string("verb"),
    3: _string("group"),
    4: _string("version"),
    5: _string("resource"),
    6: _string("subresource"),
    7: _string("name"),
}
_ACCESS: Message = {
    1: _message("resourceAttributes", _RESOURCE_ATTRIBUTES),
    2: _message("nonResourceAttributes", {1: _string("path"), 2: _string("verb")}),
}
_SUBJECT_ACCESS: Message = {**_ACCESS, 3: _string("user"), 4: _strings("groups")}
_RULE: Message = {
    1: _strings("verbs"),
    2: _strings("apiGroups"),
    3: _strings("resources"),
    4: _strings("resourceNames"),
    5: _strings("nonResourceURLs"),
}
_SUBJECT: Message = {1: _string("kind"), 2: _string("apiGroup"), 3: _string("name"), 4: _string("namespace")}
_ROLE_REFERENCE: Message = {1: _string("apiGroup"), 2: _string("kind"), 3: _string("name")}
_BINDING: Message = {1: _META, 2: _messages("subjects", _SUBJECT), 3: _message("roleRef", _ROLE_REFERENCE)}
_ROLE: Message = {1: _META, 2: _messages("rules", _RULE)}
_QUOTA: Message = {1: Field("hard", "quantity", is_map=True), 2: _strings("scopes")}
_DELETE_OPTIONS: Message = {
    1: _int("gracePeriodSeconds"),
    2: _message("preconditions", {1: _string("uid"), 2: _string("resourceVersion")}),
    4: _string("propagationPolicy"),
    5: _strings("dryRun"),
}

KINDS: dict[str, Message] = {
    "Secret": {
        1: _META,
        2: _map("data", "bytes"),
        3: _string("type"),
        4: _map("stringData"),
        5: _bool("immutable"),
    },
    "ConfigMap": {1: _META, 2: _map("data"), 3: _map("binaryData", "bytes"), 4: _bool("immutable")},
    "Namespace": {1: _META, 2: _message("spec", {1: _strings("finalizers")})},
    "ServiceAccount": {1: _META},
    "Job": {1: _META, 2: _message("spec", _JOB_SPEC)},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "ResourceQuota": {1: _META, 2: _message("spec", _QUOTA)},
    "PriorityClass": {
        1: _META,
        2: _int("value"),
        3: _bool("globalDefault"),
        4: _string("description"),
        5: _string("preemptionPolicy"),
    },
    "SelfSubjectAccessReview": {1: _META, 2: _message("spec", _ACCESS)},
    "SubjectAccessReview": {1: _META, 2: _message("spec", _SUBJECT_ACCESS)},
    "SelfSubjectRulesReview": {1: _META, 2: _message("spec", {1: _string("namespace")})},
    "SelfSubjectReview": {1: _META},
    "TokenRequest": {1: _META, 2: _message("spec", {1: _strings("audiences"), 4: _int("expirationSeconds")})},
    "DeleteOptions": _DELETE_OPTIONS,
}
