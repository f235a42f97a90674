"""What stands behind the masks in a tenant's texts: kept, encrypted, where the tenant keeps a vault; shown for a reason."""
