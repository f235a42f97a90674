"""The real SDKs of other tools against a running hitl: what changes on their side is an address and a key."""

import pytest

from hitl.access import tokens
from hitl.models import Tenant
from queues.models import Trace


@pytest.fixture
def tenant(transactional_db):
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.fixture
def secret(tenant):
    return tokens.issue(tenant=tenant, name="SDK", scopes=["ingest"])[1]


@pytest.fixture
def kept(tenant):
    """The trace of this name as it is kept."""

    def kept(name):
        return Trace.objects.get(tenant=tenant, external_id=str(name))

    return kept
