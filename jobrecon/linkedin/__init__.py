"""LinkedIn's API: tokens, batches, the durable call ledger, and the parsing of responses."""
