"""How one sample gets answered. Read it top to bottom: opening, graph, session, toolbox, answer."""
