"""What a model looks at: views, geometry, coordinate conventions, perceived sizes, overlays."""
