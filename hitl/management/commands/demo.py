from hitl.management import starting
from hitl.management.commands import up
from hitl.management.demo import story


class Command(up.Command):
    help = "Starts hitl like `up`, and tells a story in it: people, queues, a codebook, and cases to decide."

    def logins(self) -> list[str]:
        people = [f"  {role:<24} {email:<36} {password}" for role, email, password in story.tell(self.stdout)]
        return people + starting.first_administrator()
