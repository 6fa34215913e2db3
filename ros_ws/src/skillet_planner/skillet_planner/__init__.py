"""From a sentence to a task tree (`planner`, `offline`), and its execution (`executor`)."""
