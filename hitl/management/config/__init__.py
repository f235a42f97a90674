"""An installation as a file, so that it lives in git: tenants, people, codebooks, queues and rules, never a secret."""
