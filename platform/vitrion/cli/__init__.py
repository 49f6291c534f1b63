"""The `vitrion` command: a noun, then a verb, one module for each noun.

A noun is entered in `vitrion.cli.nouns.NOUNS`; its module exposes either ``app: typer.Typer`` (several verbs) or a
function ``command`` (the noun is the verb). A module is imported when its noun is typed.
"""
