from hitl.access.models import (
    ApiToken,
    AuthorityGrant,
    Tenant,
    TenantGroupPermission,
    TenantUserPermission,
    User,
)
from hitl.audit.models import AuditCheckpoint, AuditEvent
from hitl.jobs.models import Heartbeat, Job
from hitl.outbox.models import Endpoint, Message, SigningSecret

__all__ = [
    "ApiToken",
    "AuditCheckpoint",
    "AuditEvent",
    "AuthorityGrant",
    "Endpoint",
    "Heartbeat",
    "Job",
    "Message",
    "SigningSecret",
    "Tenant",
    "TenantGroupPermission",
    "TenantUserPermission",
    "User",
]
