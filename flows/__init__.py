"""WHEN: the Prefect flows. The only room that imports Prefect."""
