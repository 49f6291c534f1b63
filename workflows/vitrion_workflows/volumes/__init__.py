"""Volume of an amorphous cell: estimates, measured densities, and the rule that chooses."""
