"""How one sample gets answered: conditions, chat models by config, and the LangGraph graph."""
