"""The Prefect flows: what runs when. The only package that imports Prefect."""
