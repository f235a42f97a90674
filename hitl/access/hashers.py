"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP asks for at least. Django's takes 100 MB a sign-in: a shift that begins would fill a server."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
