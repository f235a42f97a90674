"""Who is in the story, where they work, and what they may do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A person of the story. `queues` maps a queue to what they may do there; `leads` names tenants they run."""

    title: str
    name: str
    email: str
    languages: tuple[str, ...] = ("en",)
    works_in: tuple[str, ...] = ("northlight", "harbor")
    leads: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    administrator: bool = False
    time_zone: str = "Europe/Berlin"


QUEUES = ("corrections", "billing", "legal", "security")
TENANTS = {"northlight": ("Northlight Energy", ["DE", "GB"]), "harbor": ("Harbor Bank", ["GB", "US", "DE"])}
PEOPLE = (
    Role(
        "Lead, owner of the codebook",
        "Ada Okafor",
        "ada@demo.hitl.example",
        languages=("en", "de"),
        leads=("northlight", "harbor"),
        reviews=QUEUES,
        runs=QUEUES,
        authorities=("legal.L2", "security.L2"),
    ),
    Role("Reviewer, billing", "Noor Aziz", "noor@demo.hitl.example", reviews=("billing", "corrections")),
    Role(
        "Reviewer, billing (de)",
        "Jonas Weber",
        "jonas@demo.hitl.example",
        languages=("de", "en"),
        works_in=("northlight",),
        reviews=("billing", "corrections"),
    ),
    Role(
        "Reviewer, legal",
        "Lea Hoffmann",
        "lea@demo.hitl.example",
        languages=("de", "en"),
        reviews=("legal",),
        authorities=("legal.L1",),
    ),
    Role(
        "Operator, security",
        "Sam Reyes",
        "sam@demo.hitl.example",
        works_in=("harbor",),
        reviews=("security",),
        authorities=("security.L1",),
    ),
    Role("Administrator", "Robin Berg", "robin@demo.hitl.example", works_in=(), administrator=True),
)


@dataclass(frozen=True)
class Line:
    """A queue of the story with the rule that fills it."""

    slug: str
    name: str
    description: str
    sla: str
    amount: int
    rule: str
    domains: tuple[str, ...] = ()
    authority: str = ""
    hand_up_to: str = ""


LINES = (
    Line("corrections", "Low-risk corrections", "Content operations", "minutes", 24 * 60, "Everything else",
         hand_up_to="support.L2"),
    Line("billing", "Billing disputes", "Support specialists", "minutes", 4 * 60, "Billing", ("billing",),
         hand_up_to="billing.L2"),
    Line("legal", "Legal questions", "Legal reviewers", "business_days", 1, "Legal", ("legal",), authority="legal.L1"),
    Line("security", "Security actions", "Security operators", "minutes", 30, "Security", ("security",),
         authority="security.L1"),
)  # fmt: skip
