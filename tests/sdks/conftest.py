"""The real SDKs of other tools against a running hitl: what changes on their side is an address and a key.

They are in a dependency group of their own (`uv run --group sdks pytest -m sdk`); without it none is collected.
"""

from importlib.util import find_spec

import pytest

from hitl.access import tokens
from hitl.models import Tenant
from queues.models import Trace

collect_ignore_glob = [] if find_spec("langfuse") else ["test_*.py"]


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
