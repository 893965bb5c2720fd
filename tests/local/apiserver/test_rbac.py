"""Who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import NAMESPACES, Resource
from c8s.local.apiserver.bootstrap import create_first_objects
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.apiserver.rbac import Attributes, Authorizer
from c8s.local.apiserver.tokens import User, with_implied_groups

GROUP = "rbac.authorization.k8s.io"
ROLES = Resource(GROUP, "v1", "roles", "Role")
ROLE_BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLE_BINDINGS = Resource(GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
WEBHOOK = with_implied_groups("system:serviceaccount:c8s-system:webhook", ())


@pytest.fixture
def authorizer(cluster: InProcessCluster) -> Authorizer:
    create_first_objects(cluster._store)
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    return Authorizer(cluster._store)


def grant(cluster: InProcessCluster, subject: dict[str, Any], **rule: Any) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **rule}]
    cluster.create(ROLES, {"metadata": {"name": "reader"}, "rules": rules}, "team")
    reference = {"kind": "Role", "name": "reader"}
    binding = {"metadata": {"name": "reader"}, "roleRef": reference, "subjects": [subject]}
    cluster.create(ROLE_BINDINGS, binding, "team")


ACCOUNT = {"kind": "ServiceAccount", "name": "webhook", "namespace": "c8s-system"}


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (Attributes("get", "", "pods", "", "team", "a"), True),
        (Attributes("get", "", "pods", "", "default", "a"), False),
        (Attributes("get", "", "pods", "", "", ""), False),
        (Attributes("list", "", "pods", "", "team"), False),
        (Attributes("get", "", "pods", "log", "team", "a"), False),
        (Attributes("get", "batch", "pods", "", "team", "a"), False),
        (Attributes("get", path="/metrics"), False),
        (Attributes("get", path="/api/v1"), True),
    ],
)
def test_role_covers_what_it_names(
    cluster: InProcessCluster, authorizer: Authorizer, asked: Attributes, allowed: bool
) -> None:
    grant(cluster, ACCOUNT)
    assert (authorizer.reason_to_allow(WEBHOOK, asked) is not None) is allowed


def test_resource_names_limit_the_rule(cluster: InProcessCluster, authorizer: Authorizer) -> None:
    grant(cluster, ACCOUNT, resourceNames=["mine"])
    allowed = [
        authorizer.reason_to_allow(WEBHOOK, Attributes("get", "", "pods", "", "team", name)) is not None
        for name in ("mine", "other", "")
    ]
    assert allowed == [True, False, False]


def test_revoked_binding_counts_at_once(cluster: InProcessCluster, authorizer: Authorizer) -> None:
    asked = Attributes("get", "", "pods", "", "team", "a")
    assert authorizer.reason_to_allow(WEBHOOK, asked) is None
    grant(cluster, ACCOUNT)
    assert authorizer.reason_to_allow(WEBHOOK, asked) == 'RBAC: allowed by RoleBinding "reader"'
    cluster.delete(ROLE_BINDINGS, "reader", "team")
    assert authorizer.reason_to_allow(WEBHOOK, asked) is None


def test_aggregated_role_collects_rules(cluster: InProcessCluster, authorizer: Authorizer) -> None:
    subject = {"kind": "Group", "name": "developers"}
    reference = {"kind": "ClusterRole", "name": "view"}
    binding = {"metadata": {"name": "all-view"}, "roleRef": reference, "subjects": [subject]}
    cluster.create(CLUSTER_ROLE_BINDINGS, binding)
    developer = User("alice", ("developers",))
    asked = [Attributes(verb, "batch", "jobs", "", "team") for verb in ("list", "create")]
    assert [authorizer.reason_to_allow(developer, one) is not None for one in asked] == [True, False]


def test_masters_may_everything(authorizer: Authorizer) -> None:
    asked = Attributes("delete", "any", "things", "", "team", "a")
    assert authorizer.reason_to_allow(User("root", ("system:masters",)), asked) is not None
