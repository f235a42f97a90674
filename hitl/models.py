from hitl.access.models import (
    ApiToken,
    AuthorityGrant,
    Tenant,
    TenantGroupPermission,
    TenantUserPermission,
    User,
)
from hitl.jobs.models import Heartbeat, Job
from hitl.outbox.models import Endpoint, Message

__all__ = [
    "ApiToken",
    "AuthorityGrant",
    "Endpoint",
    "Heartbeat",
    "Job",
    "Message",
    "Tenant",
    "TenantGroupPermission",
    "TenantUserPermission",
    "User",
]
