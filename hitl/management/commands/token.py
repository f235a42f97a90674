from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hitl.access import tenants, tokens
from hitl.access.people import Refused
from hitl.models import ApiToken, Tenant


class Command(BaseCommand):
    help = "Makes, lists and revokes the tokens with which a tenant's systems use the API."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|list|revoke")
        create = verbs.add_parser("create", help="Make one; the last line printed is the token alone.")
        create.add_argument("--tenant", required=True, help="Short name of the tenant; made if it is new.")
        create.add_argument("--scope", required=True, action="append", choices=ApiToken.Scope.values)
        create.add_argument("--name", default="command line", help="Which system will use it.")
        create.add_argument("--days", type=int, default=365, help="Good for how many days (365).")
        listing = verbs.add_parser("list", help="Those that there are.")
        listing.add_argument("--tenant", help="Of this tenant only.")
        revoke = verbs.add_parser("revoke", help="End one at once.")
        revoke.add_argument("prefix", help="The eight signs after hitl_, as in the list.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"create": self.create, "list": self.list, "revoke": self.revoke}[options["verb"]](options)
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def create(self, options: dict[str, Any]) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            tenant = tenants.create(by=None, slug=options["tenant"], actor_name="manage.py token")
            self.stdout.write(f"The tenant {tenant.slug} is new.")
        token, secret = tokens.issue(
            tenant=tenant, name=options["name"], scopes=options["scope"], days=options["days"],
            actor_name="manage.py token",
        )  # fmt: skip
        may = ", ".join(token.scopes)
        self.stdout.write(
            f"A token of {tenant.slug} for {may}, good until {token.expires_at:%Y-%m-%d}. Shown this once:"
        )
        self.stdout.write(secret)

    def list(self, options: dict[str, Any]) -> None:
        found = ApiToken.objects.select_related("tenant").order_by("tenant__slug", "pk")
        if options["tenant"]:
            found = found.filter(tenant__slug=options["tenant"])
        if not found:
            self.stdout.write("There are no tokens. Make one with: manage.py token create --tenant acme --scope ingest")
        now = timezone.now()
        for token in found:
            state = f"good until {token.expires_at:%Y-%m-%d}" if token.expires_at else "good until revoked"
            if token.revoked_at:
                state = f"revoked {token.revoked_at:%Y-%m-%d}"
            elif token.expires_at and token.expires_at <= now:
                state = f"over since {token.expires_at:%Y-%m-%d}"
            used = f"last used {token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never used"
            self.stdout.write(
                f"{token.prefix}  {token.tenant.slug}  {','.join(token.scopes)}  {token.name}  {state}, {used}"
            )

    def revoke(self, options: dict[str, Any]) -> None:
        found = list(ApiToken.objects.filter(prefix=options["prefix"]))
        if len(found) != 1:
            raise CommandError(f"There is no token hitl_{options['prefix']}_… Look with: manage.py token list")
        tokens.revoke(token=found[0], by=None, actor_name="manage.py token")
        self.stdout.write(f"The token {found[0].name} is refused from now on.")
