from django.conf import settings

from hitl.management import starting
from hitl.management.commands import up
from hitl.management.demo import story
from hitl.management.demo.help_desk import opening
from hitl.node import Beside


class Command(up.Command):
    help = "Starts hitl like `up`, and tells a story in it: people, queues, a codebook, and cases to decide."

    def logins(self) -> list[str]:
        people = [f"  {role:<24} {email:<36} {password}" for role, email, password in story.tell(self.stdout)]
        return people + starting.first_administrator()

    def beside(self, *, host: str, port: int, address: str) -> list[tuple[Beside, str]]:
        return [opening.open_desk(folder=settings.DATA_DIR, host=host, port=port, hitl=address)]
