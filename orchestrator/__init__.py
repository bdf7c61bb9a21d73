"""The centre: plans, dispatches, catalogues, keeps the rule."""
