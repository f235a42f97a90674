"""What stands behind the masks in a tenant's texts: kept encrypted where it keeps a vault, and shown for a reason."""
