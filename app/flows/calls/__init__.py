"""What the nodes that call an API share: requests out of parameters, answers, pages."""
