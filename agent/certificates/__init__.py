"""Certificates: numbered, signed and recorded in sets; drawn when first wanted; checked by anybody.

`stage` issues, `pdfs` draws, `check` judges a file. What they stand on knows no database: `facts`, `numbers`, `keys`,
`credential`, `pdf`, `signing`, `verify`.
"""
