"""What users and authors of operators touch: streams, jobs, `explain`, and the decorators."""
