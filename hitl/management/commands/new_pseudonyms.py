from typing import Any

from django.core.management.base import BaseCommand

from hitl.access import pseudonyms, tenants
from hitl.models import Tenant


class Command(BaseCommand):
    help = "After HITL_SECRET_KEY was lost: new keys for the pseudonyms of tenants whose own can't be read any more."

    def handle(self, *args: Any, **options: Any) -> None:
        lost = [
            tenant for tenant in Tenant.objects.order_by("slug") if not pseudonyms.readable(bytes(tenant.scrub_key))
        ]
        for tenant in lost:
            tenants.renew_pseudonyms(by=None, tenant=tenant, actor_name="manage.py new_pseudonyms")
            self.stdout.write(f"{tenant.slug} has a new key: the same persons get other pseudonyms from now on.")
        if not lost:
            self.stdout.write("The keys of all tenants can be read. Nothing was changed.")
