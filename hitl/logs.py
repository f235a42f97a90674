"""What the log may say of a request: not its address, which may hold somebody's e-mail, but what kind of address."""

import logging


class Routes(logging.Filter):
    """Puts the route in place of the address, which comes last in what Django says of requests that went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple) and record.args:
            found = getattr(request, "resolver_match", None)
            record.args = (*record.args[:-1], f"/{found.route}" if found else "an address that is not there")
        return True
