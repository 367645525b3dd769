"""LinkedIn's API: tokens, packing, the durable call ledger, and reading what it says of tasks."""
