import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from hitl.access import pseudonyms


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What they may do on a tenant, queue or codebook is granted per object, through guardian."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    languages = ArrayField(models.CharField(max_length=35), default=list, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
            models.CheckConstraint(condition=~Q(name=""), name="user_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Tenant(models.Model):
    """Whose traffic it is. Nothing crosses tenants."""

    class Names(models.TextChoices):
        NONE = "none", "No names"
        SAID = "said", "Names where a text says that one comes"
        KNOWN = "known", "All names that the lists know"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    scrubs = models.BooleanField(default=True)
    scrubs_names = models.CharField(max_length=5, choices=Names, default=Names.SAID)
    scrubs_addresses = models.BooleanField(default=True)
    regions = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    scrub_key = models.BinaryField(default=pseudonyms.new, help_text="The key of its pseudonyms, encrypted.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions = [
            ("work_in_tenant", "Work on the tenant's cases"),
            ("lead_tenant", "Run the tenant: intake, thresholds, deliveries, audit"),
            ("reveal_tenant", "See what is masked in its cases, for a reason, on record"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(scrubs_names__in=["none", "said", "known"]), name="tenant_scrubs_names_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TenantUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Tenant, on_delete=models.CASCADE)


class TenantGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Tenant, on_delete=models.CASCADE)


class AuthorityGrant(models.Model):
    """What a person may sign, e.g. `finance.refund.L2`; a higher level covers the lower ones of its scope."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="authorities")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, blank=True)
    authority = models.CharField(max_length=80)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "tenant", "authority"], nulls_distinct=False, name="authority_granted_once"
            ),
            models.CheckConstraint(
                condition=Q(authority__regex=r"^[a-z0-9_]+(\.[a-z0-9_]+)*(\.L[1-9])?$"), name="authority_is_well_formed"
            ),
        ]

    def __str__(self) -> str:
        return self.authority


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, now: datetime) -> "ApiTokenQuerySet":
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiToken(models.Model):
    """A bearer token of a tenant. Only its digest is kept; a fast hash will do for 256 random bits."""

    class Scope(models.TextChoices):
        INGEST = "ingest"
        FEEDBACK = "feedback"
        ACTIONS = "actions"
        EXPORT = "export"
        DEPLOY = "deploy"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0)
                & Q(scopes__contained_by=["ingest", "feedback", "actions", "export", "deploy"]),
                name="token_has_known_scopes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> bytes:
        return hashlib.sha256(secret.encode()).digest()

    def may(self, scopes: Iterable[str]) -> bool:
        return not set(self.scopes).isdisjoint(scopes)
