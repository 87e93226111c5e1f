"""Credit: what each achievement is worth under the year's rules, remembered in an append-only ledger."""
