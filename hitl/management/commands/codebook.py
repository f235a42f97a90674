from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from codebook.models import Codebook, Version
from codebook.rubric import compare, files
from codebook.rubric.compare import Comparison, Difference
from codebook.rubric.publishing import NotPublishable
from hitl.models import User
from hitl.textdiff import Op

MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}


class Command(BaseCommand):
    help = "Codebooks in a terminal and in git: how two versions differ, one as a file, one out of a file."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="diff | export | import")
        diff = verbs.add_parser("diff", help="How two versions differ, word by word; without numbers the two newest.")
        diff.add_argument("slug", metavar="SLUG")
        diff.add_argument("older", metavar="FROM", nargs="?", type=int, help="A number.")
        diff.add_argument("newer", metavar="TO", nargs="?", type=int, help="A number (the newest, or the draft).")
        export = verbs.add_parser("export", help="Write a version out as YAML.")
        export.add_argument("slug", metavar="SLUG")
        export.add_argument("--version", dest="number", type=int, metavar="N", help="The newest published without it.")
        bring = verbs.add_parser("import", help="Read a file in as the next version; the same again changes nothing.")
        bring.add_argument("file", metavar="FILE", type=Path)
        bring.add_argument("--owner", metavar="EMAIL", help="Whose a new codebook is.")
        bring.add_argument("--draft", action="store_true", help="Make it the draft; its owner publishes it.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"diff": self.diff, "export": self.export, "import": self.bring}[options["verb"]](options)
        except (files.Unreadable, NotPublishable) as refused:
            raise CommandError(f"{refused} Nothing was changed.") from None

    def diff(self, options: dict[str, Any]) -> None:
        versions = list(self._codebook(options["slug"]).versions.order_by("number"))
        if len(versions) < 2:
            raise CommandError(f"The codebook {options['slug']} has one version; there is nothing to compare.")
        newer = self._numbered(versions, options["newer"]) or versions[-1]
        before = [one for one in versions if one.number < newer.number]
        older = self._numbered(versions, options["older"]) or (before or versions)[-1]
        older, newer = sorted((older, newer), key=lambda one: one.number)
        found = compare.between(older, newer)
        self.stdout.write(
            f"{options['slug']}: version {older.number} ({older.state}) to {newer.number} ({newer.state})"
        )
        self._tell(found)

    def export(self, options: dict[str, Any]) -> None:
        codebook = self._codebook(options["slug"])
        versions = list(codebook.versions.order_by("number"))
        published = [one for one in versions if one.state == Version.State.PUBLISHED]
        version = self._numbered(versions, options["number"]) or (published[-1] if published else None)
        if version is None:
            raise CommandError(f"No version of {options['slug']} is published. Name the draft with --version.")
        self.stdout.write(files.as_yaml(version), ending="")

    def bring(self, options: dict[str, Any]) -> None:
        try:
            content = files.from_yaml(options["file"].read_bytes())
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        slug = str(content.get("slug", ""))
        owner = self._owner(slug, options["owner"])
        before = set(Version.objects.filter(codebook__slug=slug).values_list("pk", flat=True))
        if options["draft"]:
            version = files.read_in_as_draft(content=content, by=owner)
            self.stdout.write(f"{slug}: version {version.number} is a draft. {owner.name} publishes it.")
            return
        version = files.read_in(content=content, owner=owner, now=timezone.now())
        if version.pk in before:
            self.stdout.write(f"{slug}: version {version.number} says the same. Nothing was changed.")
        else:
            self.stdout.write(f"{slug}: version {version.number} is published, hash {version.content_hash[:8]}.")

    def _tell(self, found: Comparison) -> None:
        if found.has_other_order:
            self.stdout.write("The categories stand in another order.")
        for one in found.told:
            self.stdout.write(f"\n{one.title} ({one.key}): {self._what(one)}")
            for part in one.changed:
                words = "".join(self._marked(op) for op in part.ops)
                self.stdout.write(f"  {part.words}:\n" + "\n".join(f"    {line}" for line in words.splitlines()))
        if found.same:
            self.stdout.write(f"\nThe same: {', '.join(one.title for one in found.same)}")

    @staticmethod
    def _what(one: Difference) -> str:
        return f"{one.came[:1].lower()}{one.came[1:]}" + ("" if one.changed else "; its words are the same")

    @staticmethod
    def _marked(op: Op) -> str:
        before, after = MARKS[op.kind]
        return f"{before}{op.text}{after}"

    @staticmethod
    def _codebook(slug: str) -> Codebook:
        codebook = Codebook.objects.filter(slug=slug).select_related("owner").first()
        if codebook is None:
            there = ", ".join(Codebook.objects.order_by("slug").values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no codebook {slug}. There are: {there}.")
        return codebook

    @staticmethod
    def _numbered(versions: list[Version], number: int | None) -> Version | None:
        if number is None:
            return None
        found = next((one for one in versions if one.number == number), None)
        if found is None:
            raise CommandError(
                f"There is no version {number}. There are: {', '.join(str(one.number) for one in versions)}."
            )
        return found

    @staticmethod
    def _owner(slug: str, email: str | None) -> User:
        """Of a codebook that is there, its owner; of a new one, whoever is named."""
        stored = Codebook.objects.filter(slug=slug).select_related("owner").first()
        if stored and (email is None or email.lower() == stored.owner.email):
            return stored.owner
        if stored:
            raise CommandError(f"{slug} is {stored.owner.name}'s. It is handed over in its settings, not by a file.")
        if email is None:
            raise CommandError(f"The codebook {slug} is new. Say whose it is with --owner EMAIL.")
        owner = User.objects.filter(email=email.lower(), is_active=True).first()
        if owner is None:
            raise CommandError(f"Nobody here has the address {email}, or their account is closed.")
        return owner
